// @ts-check
import { hash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Driver from 'better-sqlite3';
import { post } from './api.mjs';
import { latchkey } from './contenders.mjs';
import { openFilling } from './filling.mjs';
import { start } from './process.mjs';

/**
 * A token whose plaintext is known.
 *
 * @typedef {object} RealToken
 * @property {string} plaintext
 * @property {string} id
 * @property {string} owner its e-mail
 * @property {string} [cursor] of the second page of its owner's tokens
 *
 * @typedef {object} Database
 * @property {string} path
 * @property {number} tokens
 * @property {RealToken[]} real
 *
 * @typedef {object} Filling
 * @property {(until: number) => void | Promise<void>} add adds tokens until there are `until`
 * @property {() => void | Promise<void>} close
 *
 * @typedef {(database: string, wish: { bigOwner: string, tokens: number }) => Filling | Promise<Filling>} OpenFilling
 */

/** Filled databases, kept for later runs. */
const KEPT = join(tmpdir(), 'latchkey-bench');
export const REAL_TOKENS = 1_000;
const OWNERS = 10;
/** Portions in which real tokens are created, so that they are spread among the filled ones. */
const STAGES = 20;
const PASSWORD = 'only for this benchmark';
const ADMIN = 'admin@latchkey.local';

/** The e-mail of the user who owns a tenth of all tokens. */
export const BIG_OWNER = 'owner0@example.com';

/**
 * A database with `tokens` tokens: a thousand created through Latchkey's API, the others filled in between by SQL. A filled
 * database is kept until the schema or the filling code changes.
 *
 * @param {number} tokens
 * @param {string} folder for temporary files
 * @returns {Promise<Database>}
 */
export async function prepareDatabase(tokens, folder) {
  const kept = join(KEPT, `${tokens}-${await fingerprint(folder)}`);
  if (!existsSync(kept)) {
    const { path, real } = await makeDatabase(tokens, folder);
    mkdirSync(`${kept}.new`, { recursive: true, mode: 0o700 });
    copyFileSync(path, join(`${kept}.new`, 'tokens.db'));
    writeFileSync(join(`${kept}.new`, 'real.json'), JSON.stringify(real), { mode: 0o600 });
    rmSync(path);
    renameSync(`${kept}.new`, kept);
  }
  const real = JSON.parse(readFileSync(join(kept, 'real.json'), 'utf8'));
  return { path: join(kept, 'tokens.db'), tokens, real };
}

/**
 * A database like that of `prepareDatabase`, made in `folder` and not kept. `real` is the number of tokens that are created
 * through the API.
 *
 * @param {number} tokens
 * @param {string} folder
 * @param {number} [real]
 * @returns {Promise<Database>}
 */
export async function makeDatabase(tokens, folder, real = REAL_TOKENS) {
  const path = join(folder, `made-${tokens}.db`);
  return { path, tokens, real: await fill(path, tokens, real, openFilling) };
}

export function removeKept() {
  rmSync(KEPT, { recursive: true, force: true });
}

/** @param {Database} database @param {string} folder @param {string} name @returns {string} the copy's path */
export function copyOf({ path }, folder, name) {
  const copy = join(folder, `${name.replaceAll(/\W+/g, '-')}.db`);
  rmSync(`${copy}-wal`, { force: true });
  copyFileSync(path, copy, constants.COPYFILE_FICLONE);
  return copy;
}

/** A text that changes with the schema and with the code that fills it. @param {string} folder */
async function fingerprint(folder) {
  const path = join(folder, 'schema.db');
  const server = await start({ name: 'Latchkey', argv: latchkey(path), env: { LATCHKEY_ADMIN_PASSWORD: PASSWORD } });
  await server.stop();
  const database = new Driver(path, { readonly: true });
  const schema = database.prepare('select sql from sqlite_schema order by name').pluck().all();
  database.close();
  rmSync(path);
  const sources = ['databases.mjs', 'filling.mjs'].map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'));
  return hash('sha256', JSON.stringify([schema, sources]), 'base64url').slice(0, 12);
}

/**
 * Fills an empty database.
 *
 * @param {string} database the path of a file, or a URL
 * @param {number} tokens
 * @param {number} real
 * @param {OpenFilling} openFilling
 * @returns {Promise<RealToken[]>}
 */
export async function fill(database, tokens, real, openFilling) {
  const argv = latchkey(database);
  const server = await start({ name: 'Latchkey', argv, env: { LATCHKEY_ADMIN_PASSWORD: PASSWORD } });
  try {
    const owners = await addOwners(server.url);
    /** @type {RealToken[]} */
    const made = [];
    /** @type {Filling | undefined} */
    let filling;
    for (let stage = 1; stage <= STAGES; stage++) {
      const some = Array.from({ length: Math.ceil((real * stage) / STAGES) - made.length }, (_, index) => {
        const owner = /** @type {{ email: string, session: string }} */ (owners[(made.length + index) % OWNERS]);
        return createToken(server.url, owner, made.length + index);
      });
      made.push(...(await Promise.all(some)));
      // Now there are rows to copy.
      filling ??= await openFilling(database, { bigOwner: BIG_OWNER, tokens });
      await filling.add(Math.round(((tokens - real) * stage) / STAGES));
    }
    await filling?.close();
    return made;
  } finally {
    await server.stop();
  }
}

/** @param {string} url */
async function addOwners(url) {
  const { access_token: session } = await logIn(url, ADMIN);
  const owners = [];
  for (let index = 0; index < OWNERS; index++) {
    const email = `owner${index}@example.com`;
    await post(`${url}/api/v1/users`, { email, fullName: `Owner ${index}`, password: PASSWORD }, session);
    owners.push({ email, session: (await logIn(url, email)).access_token });
  }
  return owners;
}

/** @param {string} url @param {string} username */
function logIn(url, username) {
  return post(`${url}/api/v1/auth/login/`, { username, password: PASSWORD });
}

/** @param {string} url @param {{ email: string, session: string }} owner @param {number} index @returns {Promise<RealToken>} */
async function createToken(url, { email, session }, index) {
  const body = { name: `token ${index}`, expiresInDays: 30 };
  const { plaintext, token } = await post(`${url}/api/v1/access-tokens`, body, session);
  return { plaintext, id: token.id, owner: email };
}
