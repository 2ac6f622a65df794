// @ts-check
import pg from 'pg';
import { entityTagOf, newRow, refusalOf, toCaller, toWireToken, toWireVerdict } from './rows.mjs';
import { digestOf } from './secrets.mjs';

// The store of the floor on PostgreSQL: Latchkey's statements for verify and create, each named. Look-ups are pipelined on
// two connections; a create is a transaction on a connection of a pool.

/**
 * @typedef {import('./store.mjs').Answer} Answer
 * @typedef {import('./store.mjs').Caller} Caller
 * @typedef {import('./rows.mjs').Row} Row
 */

/** As many as Latchkey has. */
const CONNECTIONS = 10;
/** Milliseconds while a stored use is fresh, and until new ones are written; as in last-used.mjs. */
const LAG = 30_000;
const DELAY = 1_000;
/** Rows in one statement. */
const CHUNK = 50;

const SECRET = {
  name: 'secret',
  text: `
    select token.id, token.organization_id, token.owner_id, token.type, token.expires_at, token.last_used_at, token.revoked_at,
      token.disabled_at, token.previous_last_used_at, secret.valid_until, owner.disabled_at as owner_disabled_at,
      owner.is_admin, (select scopes from scope_sets where id = token.scope_set_id) as scopes
    from token_secrets as secret
    join access_tokens as token on token.id = secret.token_id
    join users as owner on owner.id = token.owner_id
    where secret.digest = $1`,
};
const PROVEN = {
  name: 'proven',
  text: `
    select token.id, token.uuid, token.type, token.name, token.prefix, token.created_at, token.expires_at,
      token.last_used_at, token.revoked_at, token.description, token.metadata, token.disabled_at, token.previous_prefix,
      token.previous_valid_until, token.previous_last_used_at, token.scope_set_id,
      (select scopes from scope_sets where id = token.scope_set_id) as scopes,
      token.owner_id, secret.valid_until, owner.disabled_at as owner_disabled_at, owner.is_admin,
      owner.kind, owner.external_id, owner.email, owner.full_name, owner.metadata as owner_metadata, organization.uuid as organization_uuid
    from token_secrets as secret
    join access_tokens as token on token.id = secret.token_id
    join users as owner on owner.id = token.owner_id
    join organizations as organization on organization.id = token.organization_id
    where secret.digest = $1`,
};
const OWNER = { name: 'owner', text: 'select id from users where id = $1 for no key update' };
const CALLER = {
  name: 'caller',
  text: `
    select secret.valid_until, token.expires_at, token.type, scope_set.scopes, owner.is_admin
    from token_secrets as secret
    join access_tokens as token on token.id = secret.token_id
    join users as owner on owner.id = token.owner_id
    join scope_sets as scope_set on scope_set.id = token.scope_set_id
    where secret.digest = $1 and token.revoked_at is null and token.disabled_at is null and owner.disabled_at is null`,
};
const SCOPE_SET = { name: 'scope_set', text: 'select id from scope_sets where scopes = $1' };
const TOKEN = {
  name: 'token',
  text: `
    insert into access_tokens
      (uuid, organization_id, owner_id, type, name, prefix, secret_start, created_at, expires_at, description, metadata,
        scope_set_id, version)
    values ($1, $2, $3, 'pat', $4, $5, $6, $7, $8, $9, $10, $11, 1)
    returning id`,
};
const NEW_SECRET = { name: 'new_secret', text: 'insert into token_secrets (digest, token_id) values ($1, $2)' };
const USES = {
  name: 'uses',
  text: `
    update access_tokens as token set last_used_at = used.at
    from unnest($1::bigint[], $2::bigint[]) as used (id, at)
    where token.id = used.id and (token.last_used_at is null or token.last_used_at < used.at)`,
};

/** @param {string} url of a database that Latchkey made */
export async function openPostgresStore(url) {
  const settings = { connectionString: url, pipeline: true, types: { getTypeParser: parserOf } };
  const lines = [new pg.Client(settings), new pg.Client(settings)];
  for (const line of lines) await line.connect();
  const pool = new pg.Pool({ ...settings, max: CONNECTIONS });
  let turn = 0;

  /** @param {{ name: string, text: string }} statement @param {unknown[]} values @returns {Promise<Row>} */
  async function find(statement, ...values) {
    const { rows } = await /** @type {pg.Client} */ (lines[turn++ % lines.length]).query({ ...statement, values });
    return rows[0];
  }

  /** @type {Map<number, number>} */
  let noted = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @param {Row} row @param {number} at */
  function note({ id, last_used_at }, at) {
    if (last_used_at !== null && at - last_used_at < LAG) return;
    noted.set(id, at);
    timer ??= setTimeout(() => void flush(), DELAY).unref();
  }
  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    const uses = [...noted].toSorted(([a], [b]) => a - b);
    noted = new Map();
    for (let start = 0; start < uses.length; start += CHUNK) {
      const some = uses.slice(start, start + CHUNK);
      await pool.query({ ...USES, values: [some.map(([id]) => id), some.map(([, at]) => at)] });
    }
  }

  return {
    /** The caller; undefined unless the header has a valid token. @param {string} [authorization] */
    async authenticate(authorization = '') {
      if (!authorization.startsWith('Bearer ')) return undefined;
      const digest = digestOf(authorization.slice('Bearer '.length));
      const row = digest && (await find(SECRET, digest));
      const now = Date.now();
      if (!row || refusalOf(row, now) !== undefined) return undefined;
      note(row, now);
      return { ...toCaller(row), digest };
    },

    /** @param {string} plaintext @returns {Promise<Answer>} */
    async verify(plaintext) {
      const digest = digestOf(plaintext);
      const row = digest && (await find(PROVEN, digest));
      const now = Date.now();
      const verdict = toWireVerdict(digest, row, now);
      if (row && verdict.valid) note(row, now);
      return { body: verdict };
    },

    /** @param {Caller & { digest: Buffer }} caller @param {import('./rows.mjs').Wish} wish @returns {Promise<Answer>} */
    async create(caller, wish) {
      const { organizationId, ownerId } = caller;
      const client = await pool.connect();
      try {
        await client.query('begin');
        await client.query({ ...OWNER, values: [ownerId] });
        const { rows: states } = await client.query({ ...CALLER, values: [caller.digest] });
        const now = Date.now();
        const state = states[0];
        if (state === undefined) throw new Error('the caller was revoked');
        const { plaintext, digest, row } = newRow({ ...caller, scopes: state.scopes.split(' ') }, wish, now);
        const { rows: sets } = await client.query({ ...SCOPE_SET, values: [row.scopes] });
        const { rows: made } = await client.query({
          ...TOKEN,
          values: [
            ...[row.uuid, organizationId, ownerId, row.name, row.prefix, row.secret_start, row.created_at],
            ...[row.expires_at, row.description, row.metadata, sets[0].id],
          ],
        });
        row.id = made[0].id;
        await client.query({ ...NEW_SECRET, values: [digest, row.id] });
        await client.query('commit');
        client.release();
        const token = toWireToken(row);
        return {
          headers: { ETag: entityTagOf(row), Location: `/api/v1/access-tokens/${token.id}` },
          body: { plaintext, token },
        };
      } catch (error) {
        client.release(true);
        throw error;
      }
    },

    async close() {
      await flush();
      for (const line of lines) await line.end();
      await pool.end();
    },
  };
}

const { BYTEA, INT2, INT4, INT8 } = pg.types.builtins;

/** @param {number} oid @returns {(text: string) => any} */
function parserOf(oid) {
  if (oid === INT8 || oid === INT4 || oid === INT2) return Number;
  if (oid === BYTEA) return (text) => Buffer.from(text.slice(2), 'hex');
  return (text) => text;
}
