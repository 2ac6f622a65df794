// @ts-check
import Driver from 'better-sqlite3';
import { fromCursor, toCursor } from './cursors.mjs';
import { createLastUsed } from './last-used.mjs';
import { entityTagOf, newRow, refusalOf, toCaller, toInstant, toWireToken, toWireVerdict } from './rows.mjs';
import { digestOf, toUuid, uuidBytes } from './secrets.mjs';

// The store that the floor and Fastify share, so that neither is favoured: each operation with its look-ups, checks and
// writes on Latchkey's tables, by prepared statements only. A write is on disk before it is answered.

/**
 * @typedef {object} Caller
 * @property {number} organizationId
 * @property {number} ownerId
 * @property {number | null} expiresAt
 * @property {string} type
 * @property {boolean} ownerIsAdmin
 * @property {string[]} scopes
 *
 * @typedef {object} Answer
 * @property {Record<string, string>} [headers]
 * @property {object} [body]
 *
 * @typedef {import('./rows.mjs').Row} Row
 */

const TOKEN_COLUMNS = `
  token.id, token.uuid, token.type, token.name, token.prefix, token.created_at, token.expires_at, token.last_used_at,
  token.revoked_at, token.description, token.metadata, token.disabled_at, token.previous_prefix,
  token.previous_valid_until, token.previous_last_used_at, token.scope_set_id,
  (select scopes from scope_sets where id = token.scope_set_id) as scopes`;

/** @param {string} path of a database that Latchkey made */
export function openStore(path) {
  const database = new Driver(path, { fileMustExist: true });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma('trusted_schema = OFF');
  database.pragma('journal_size_limit = 16777216');

  /** @param {string} sql @returns {Driver.Statement<any[], Row>} */
  const prepare = (sql) => database.prepare(sql);
  const secretByDigest = prepare(`
    select token.id, token.organization_id, token.owner_id, token.type, token.expires_at, token.last_used_at, token.revoked_at,
      token.disabled_at, token.previous_last_used_at, secret.valid_until, owner.disabled_at as owner_disabled_at,
      owner.is_admin, (select scopes from scope_sets where id = token.scope_set_id) as scopes
    from token_secrets as secret
    join access_tokens as token on token.id = secret.token_id
    join users as owner on owner.id = token.owner_id
    where secret.digest = ?`);
  const provenByDigest = prepare(`
    select ${TOKEN_COLUMNS}, token.owner_id, secret.valid_until, owner.disabled_at as owner_disabled_at, owner.is_admin,
      owner.kind, owner.external_id, owner.email, owner.full_name, owner.metadata as owner_metadata, organization.uuid as organization_uuid
    from token_secrets as secret
    join access_tokens as token on token.id = secret.token_id
    join users as owner on owner.id = token.owner_id
    join organizations as organization on organization.id = token.organization_id
    where secret.digest = ?`);
  const userById = prepare(`
    select user.id, user.email, user.full_name, user.is_admin, user.created_at, organization.uuid as organization_uuid,
      organization.name as organization_name, organization.slug as organization_slug
    from users as user
    join organizations as organization on organization.id = user.organization_id
    where user.id = ?`);
  const tokenByUuid = prepare(
    `select ${TOKEN_COLUMNS}, token.version, token.secret_start from access_tokens as token
      where token.owner_id = ? and token.organization_id = ? and token.created_at = ? and token.uuid = ?`,
  );
  const newestTokens = prepare(`
    select ${TOKEN_COLUMNS} from access_tokens as token
    where token.owner_id = ? and token.organization_id = ? and token.revoked_at is null
    order by token.created_at desc, token.id desc
    limit ?`);
  const tokensBehind = prepare(`
    select ${TOKEN_COLUMNS} from access_tokens as token
    where token.owner_id = ? and token.organization_id = ? and token.revoked_at is null and (token.created_at, token.id) < (?, ?)
    order by token.created_at desc, token.id desc
    limit ?`);
  const scopeSet = prepare('select id from scope_sets where scopes = ?').pluck();
  const insertToken = prepare(`
    insert into access_tokens
      (uuid, organization_id, owner_id, type, name, prefix, secret_start, created_at, expires_at, description, metadata,
        scope_set_id, version)
    values (?, ?, ?, 'pat', ?, ?, ?, ?, ?, ?, ?, ?, 1)`);
  const insertSecret = prepare('insert into token_secrets (digest, token_id) values (?, ?)');
  const revoke = prepare(`
    update access_tokens
    set revoked_at = coalesce(revoked_at, ?), revoked_by = ?, revoked_reason = 'user', version = version + 1
    where owner_id = ? and organization_id = ? and created_at = ? and uuid = ?`);
  const begin = prepare('begin immediate');
  const commit = prepare('commit');
  const rollback = prepare('rollback');
  const lastUsed = createLastUsed(database);

  /** Runs one write in a transaction of its own. @template T @param {() => T} work @returns {T} */
  function write(work) {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      rollback.run();
      throw error;
    }
  }

  return {
    /** The caller; undefined unless the header has a valid token. @param {string} [authorization] */
    authenticate(authorization = '') {
      if (!authorization.startsWith('Bearer ')) return undefined;
      const digest = digestOf(authorization.slice('Bearer '.length));
      const row = digest && secretByDigest.get(digest);
      const now = Date.now();
      if (!row || refusalOf(row, now) !== undefined) return undefined;
      lastUsed.note(row, now);
      return toCaller(row);
    },

    /** @param {Caller} caller @returns {Answer} */
    getMe(caller) {
      const user = userById.get(caller.ownerId);
      const uuid = toUuid(user.organization_uuid);
      const organization = {
        ...{ id: uuid, name: user.organization_name, slug: user.organization_slug, tenantStatus: 'active' },
      };
      return {
        body: {
          session: {
            authMethod: 'bearer',
            organization,
            organizationId: uuid,
            sessionId: null,
            tokenType: caller.type,
          },
          user: {
            id: user.id,
            email: user.email,
            emailVerified: true,
            fullName: user.full_name,
            isAdmin: user.is_admin === 1,
            createdAt: toInstant(user.created_at),
          },
        },
      };
    },

    /** @param {Caller} caller @param {string} uuid @returns {Answer | undefined} */
    getToken({ organizationId, ownerId }, uuid) {
      const bytes = uuidBytes(uuid);
      const row = tokenByUuid.get(ownerId, organizationId, bytes.readUIntBE(0, 6), bytes);
      return row && { headers: { ETag: entityTagOf(row) }, body: toWireToken(row) };
    },

    /** @param {Caller} caller @param {number} limit @param {string} [cursor] @returns {Answer | undefined} */
    listTokens({ organizationId, ownerId }, limit, cursor) {
      const belongsTo = JSON.stringify(['tokens', ownerId, false, '-createdAt', []]);
      const after = cursor === undefined ? [] : fromCursor(cursor, belongsTo);
      if (after === undefined) return undefined;
      const [createdAt, id, asOf = Date.now()] = after;
      /** @type {Row[]} */
      const rows =
        after.length === 0
          ? newestTokens.all(ownerId, organizationId, limit + 1)
          : tokensBehind.all(ownerId, organizationId, createdAt, id, limit + 1);
      const more = rows.length > limit;
      if (more) rows.pop();
      const last = rows.at(-1);
      const nextCursor = more ? toCursor([last.created_at, last.id, asOf], belongsTo) : null;
      return { body: { items: rows.map(toWireToken), nextCursor } };
    },

    /** @param {string} plaintext @returns {Answer} */
    verify(plaintext) {
      const digest = digestOf(plaintext);
      const row = digest && provenByDigest.get(digest);
      const now = Date.now();
      const verdict = toWireVerdict(digest, row, now);
      if (row && verdict.valid) lastUsed.note(row, now);
      return { body: verdict };
    },

    /**
     * @param {Caller} caller
     * @param {import('./rows.mjs').Wish} wish
     * @returns {Answer}
     */
    create(caller, wish) {
      const { plaintext, digest, row } = newRow(caller, wish, Date.now());
      const { organizationId, ownerId } = caller;
      write(() => {
        const { uuid, name, prefix, created_at, expires_at } = row;
        row.id = Number(
          insertToken.run(
            ...[uuid, organizationId, ownerId, name, prefix, row.secret_start, created_at, expires_at],
            ...[row.description, row.metadata, scopeSet.get(row.scopes)],
          ).lastInsertRowid,
        );
        insertSecret.run(digest, row.id);
      });
      const token = toWireToken(row);
      return {
        headers: { ETag: entityTagOf(row), Location: `/api/v1/access-tokens/${token.id}` },
        body: { plaintext, token },
      };
    },

    /** @param {Caller} caller @param {string} uuid @returns {Answer | undefined} */
    revoke({ organizationId, ownerId }, uuid) {
      const bytes = uuidBytes(uuid);
      const { changes } = write(() =>
        revoke.run(Date.now(), ownerId, ownerId, organizationId, bytes.readUIntBE(0, 6), bytes),
      );
      return changes === 0 ? undefined : {};
    },

    async close() {
      await lastUsed.flush();
      database.close();
    },
  };
}
