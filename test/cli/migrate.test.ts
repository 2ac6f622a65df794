import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { isOnPostgres, newDatabase } from '../support/databases.js';
import { databaseAt } from '../support/postgres-server.js';
import { latchkey, newFolder, serveDatabase } from '../support/process.js';
import { rowsOf } from '../support/store.js';

/** A database without any table. */
async function emptyDatabase(): Promise<string> {
  if (!isOnPostgres) return join(await newFolder(), 'latchkey.db');
  const { database, remove } = await newDatabase('');
  onTestFinished(remove);
  await rowsOf({ database }, 'drop schema public cascade; create schema public');
  return database;
}

test('a service that must not migrate refuses a new database, and serves it once latchkey migrate was run', async () => {
  const database = await emptyDatabase();
  const env = { LATCHKEY_DATABASE: database, LATCHKEY_MIGRATE: 'never', LATCHKEY_PORT: '0' };
  const refused = await latchkey(['serve'], { env });
  expect(refused.stderr).toMatch(/^latchkey: database \S+ lacks migrations: run latchkey migrate\n$/);
  expect(refused).toMatchObject({ code: 1, stdout: '' });

  for (let time = 0; time < 2; time++) {
    const migrated = await latchkey(['migrate'], { env });
    expect(migrated).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^\S+ is up to date\n$/) as string,
    });
    expect(migrated.stdout).not.toContain('password');
  }
  const { url } = await serveDatabase(database, { LATCHKEY_MIGRATE: 'never' });
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

test('latchkey migrate ends with code 2 for a database in memory, and 1 where it cannot be made', async () => {
  const cwd = await newFolder();
  expect(await latchkey(['migrate'], { cwd, env: { LATCHKEY_DATABASE: ':memory:' } })).toMatchObject({ code: 2 });
  const nowhere = isOnPostgres ? databaseAt(inject('postgres'), 'nowhere') : join(cwd, 'nowhere/latchkey.db');
  expect(await latchkey(['migrate'], { cwd, env: { LATCHKEY_DATABASE: nowhere } })).toMatchObject({
    code: 1,
    stdout: '',
  });
  expect(existsSync(nowhere)).toBe(false);
});
