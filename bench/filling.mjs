// @ts-check
import { randomBytes, randomInt } from 'node:crypto';
import Driver from 'better-sqlite3';
import { newUuid } from './servers/secrets.mjs';

// Fills in tokens by the million, in the order of their creation: copies of rows that Latchkey wrote, with other values
// where tokens differ. Their digests are random, so no plaintext matches them.

const DAY = 86_400_000;
/** Tokens of each owner but the big one; these owners include those of the real tokens. */
const TOKENS_OF_AN_OWNER = 20;
const IN_A_TRANSACTION = 10_000;
const USES = [
  'deploy',
  'backup',
  'nightly report',
  'laptop',
  'ci',
  'billing',
  'grafana',
  'import',
  'mobile',
  'webhook',
];

/**
 * @param {string} path
 * @param {{ bigOwner: string, tokens: number }} wish the e-mail of the user who gets a tenth of the tokens, and their final number
 */
export function openFilling(path, { bigOwner, tokens }) {
  const database = new Driver(path, { timeout: 10_000 });
  database.pragma('synchronous = OFF');
  database.pragma('cache_size = -1000000');
  const owner = database.prepare('select * from users where email = ?').get(bigOwner);
  const token = database.prepare('select * from access_tokens where owner_id = ? and type = ? limit 1');
  const tokenRow = token.get(/** @type {any} */ (owner).id, 'pat');
  const secret = database.prepare('select * from token_secrets where token_id = ?');
  const insertUser = inserting(database, 'users', owner);
  const insertToken = inserting(database, 'access_tokens', tokenRow);
  const insertSecret = inserting(database, 'token_secrets', secret.get(/** @type {any} */ (tokenRow).id));

  const bigOwnerId = /** @type {{ id: number }} */ (owner).id;
  const firstOwner = bigOwnerId + 1;
  let lastOwner = /** @type {number} */ (database.prepare('select max(id) from users').pluck().get());
  const addUsers = database.transaction((/** @type {number} */ count) => {
    for (let index = 0; index < count; index++) {
      const id = insertUser({ email: `small${index}@example.com` });
      lastOwner = Number(id);
    }
  });
  addUsers(Math.floor(tokens / TOKENS_OF_AN_OWNER) - (lastOwner - bigOwnerId));

  let added = 0;
  const addTokens = database.transaction((/** @type {number} */ until) => {
    for (; added < until; added++) {
      const now = Date.now();
      const digest = randomBytes(16);
      const id = insertToken({
        uuid: newUuid(now),
        owner_id: added % 10 === 0 ? bigOwnerId : randomInt(firstOwner, lastOwner + 1),
        name: `${USES[randomInt(USES.length)]} ${randomInt(10_000)}`,
        prefix: `lk_pat_${digest.toString('hex', 0, 3).slice(0, 5)}`,
        secret_start: digest.subarray(0, 4),
        created_at: now,
        expires_at: added % 4 === 0 ? null : now + randomInt(30, 366) * DAY,
        last_used_at: added % 2 === 0 ? null : now,
        revoked_at: added % 20 === 7 ? now : null,
      });
      insertSecret({ digest, token_id: Number(id) });
    }
  });

  return {
    /** Adds tokens until there are `until`. @param {number} until */
    add(until) {
      while (added < until) addTokens.immediate(Math.min(until, added + IN_A_TRANSACTION));
    },
    close() {
      database.close();
    },
  };
}

/**
 * Returns a function that inserts a copy of `row` with the values that it gets.
 *
 * @param {Driver.Database} database
 * @param {string} table
 * @param {any} row
 */
function inserting(database, table, row) {
  const { id, ...model } = row;
  const columns = Object.keys(model);
  const statement = database.prepare(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((column) => `@${column}`).join(', ')})`,
  );
  return (/** @type {Record<string, unknown>} */ values) => statement.run({ ...model, ...values }).lastInsertRowid;
}
