// @ts-check
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import Driver from 'better-sqlite3';

// The floor: what Node and SQLite can do at most. One authenticated read, with the look-ups and the checks that Latchkey
// makes on the same file, and nothing else: no framework, no validation, no request id, no log.
//
//   node bench/floor.mjs DATABASE

/**
 * @typedef {object} Secret
 * @property {number} owner_id
 * @property {number | null} expires_at
 * @property {number | null} revoked_at
 * @property {number | null} valid_until
 * @property {number | null} disabled_at
 *
 * @typedef {object} Token
 * @property {Buffer} uuid
 * @property {string} type
 * @property {string} name
 * @property {string} prefix
 * @property {number} created_at
 * @property {number | null} expires_at
 * @property {number | null} last_used_at
 * @property {number | null} revoked_at
 */

const PATH = '/api/v1/access-tokens/';

const database = new Driver(process.argv[2] ?? '', { fileMustExist: true });
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.pragma('foreign_keys = ON');
database.pragma('trusted_schema = OFF');

/** @type {Driver.Statement<[Buffer], Secret>} */
const secretByDigest = database.prepare(`
  select token.owner_id, token.expires_at, token.revoked_at, secret.valid_until, owner.disabled_at
  from token_secrets as secret
  join access_tokens as token on token.id = secret.token_id
  join users as owner on owner.id = token.owner_id
  where secret.digest = ?`);

/** @type {Driver.Statement<[Buffer, number], Token>} */
const tokenByUuid = database.prepare(`
  select uuid, type, name, prefix, created_at, expires_at, last_used_at, revoked_at
  from access_tokens
  where uuid = ? and owner_id = ?`);

const server = createServer(({ url = '', headers }, response) => {
  if (url === '/healthz') {
    answer(response, 200, '{"status":"ok"}');
    return;
  }
  const ownerId = authenticate(headers.authorization);
  if (ownerId === undefined) {
    answer(response, 401, '{}');
    return;
  }
  const uuid = url.startsWith(PATH) ? url.slice(PATH.length).replaceAll('-', '') : '';
  const token = tokenByUuid.get(Buffer.from(uuid, 'hex'), ownerId);
  if (token === undefined) answer(response, 404, '{}');
  else answer(response, 200, JSON.stringify(toWireToken(token)));
});

server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`listening on http://127.0.0.1:${address.port}`);
});

/** The owner of the token in the header, where it is valid. @param {string} [authorization] */
function authenticate(authorization) {
  if (!authorization?.startsWith('Bearer ')) return undefined;
  const secret = secretByDigest.get(hash('sha256', authorization.slice('Bearer '.length), 'buffer'));
  if (secret === undefined || secret.revoked_at !== null || secret.disabled_at !== null) return undefined;
  const now = Date.now();
  return isOver(secret.expires_at, now) || isOver(secret.valid_until, now) ? undefined : secret.owner_id;
}

/** @param {number | null} end @param {number} now */
function isOver(end, now) {
  return end !== null && end <= now;
}

/** @param {Token} token */
function toWireToken({ uuid, name, prefix, type, created_at, expires_at, last_used_at, revoked_at }) {
  const hex = uuid.toString('hex');
  return {
    id: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
    name,
    tokenPrefix: prefix,
    tokenType: type,
    createdAt: toInstant(created_at),
    expiresAt: toInstant(expires_at),
    lastUsedAt: toInstant(last_used_at),
    revokedAt: toInstant(revoked_at),
  };
}

/** @param {number | null} milliseconds */
function toInstant(milliseconds) {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {string} body */
function answer(response, status, body) {
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body);
}
