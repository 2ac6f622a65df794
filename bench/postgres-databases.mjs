// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { fill, REAL_TOKENS } from './databases.mjs';
import { databaseAt, startPostgres } from './embedded-postgres.mjs';
import { openPostgresFilling } from './filling-postgres.mjs';

/**
 * The server that the benchmark uses, with its filled databases.
 *
 * @typedef {object} Server
 * @property {string} version
 * @property {number} [pid] of the server, if this started it
 * @property {(name: string) => Promise<string>} create makes an empty database and returns its URL
 * @property {(tokens: number, real?: number) => Promise<Filled>} fill makes a database with so many tokens
 * @property {() => Promise<void>} stop
 *
 * @typedef {import('./databases.mjs').Database & { engine: import('./contenders.mjs').Engine, drop: () => Promise<void> }} Filled
 */

const SETTINGS = { max_connections: '200', shared_buffers: '512MB', max_wal_size: '4GB' };

/**
 * Starts a PostgreSQL whose commits reach the disk, or uses the one at LATCHKEY_TEST_POSTGRES, whose role must be allowed to
 * make databases.
 *
 * @returns {Promise<Server>}
 */
export async function openServer() {
  const given = process.env['LATCHKEY_TEST_POSTGRES'] ?? '';
  const started = given === '' ? await startPostgres(SETTINGS) : undefined;
  const url = started?.url ?? given;
  // The processor time of a server that somebody else started is not read: it may run on another machine.
  const pid = started && Number(readFileSync(join(started.folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const admin = new pg.Client(url);
  await admin.connect();
  const run = async (/** @type {string} */ text) => (await admin.query(text)).rows;
  const [about] = await run(
    "select split_part(version(), ' ', 2) as version, current_setting('server_version_num') as number",
  );
  // The strategy before version 15, which the newer versions name: it does not log each page of the copy.
  const strategy = Number(about.number) >= 150_000 ? 'strategy file_copy' : '';

  return {
    version: about.version,
    pid,
    async create(name) {
      await run(`drop database if exists ${name} with (force)`);
      await run(`create database ${name} template template0 encoding 'UTF8'`);
      return databaseAt(url, name);
    },
    async fill(tokens, real = REAL_TOKENS) {
      const name = `latchkey_bench_${tokens}`;
      await run(`drop database if exists ${name} with (force)`);
      await run(`create database ${name} template template0 encoding 'UTF8'`);
      const path = databaseAt(url, name);
      return {
        path,
        tokens,
        real: await fill(path, tokens, real, openPostgresFilling),
        engine: {
          pid,
          async copy(contender) {
            const copy = `${name}_${contender.toLowerCase().replaceAll(/\W+/g, '_')}`;
            await run(`drop database if exists ${copy} with (force)`);
            await run(`create database ${copy} template ${name} ${strategy}`);
            return databaseAt(url, copy);
          },
          async remove(copy) {
            await run(`drop database ${new URL(copy).pathname.slice(1)} with (force)`);
          },
        },
        async drop() {
          await run(`drop database ${name} with (force)`);
        },
      };
    },
    async stop() {
      await admin.end();
      await started?.stop();
    },
  };
}
