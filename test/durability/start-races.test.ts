import { expect, test } from 'vitest';
import { isOnPostgres } from '../support/databases.js';
import { logInTo, serve, type WhenDone } from '../support/process.js';
import { rowsOf } from '../support/store.js';
import { FULL, publish } from './figures.js';
import {
  addUser,
  ask,
  atOnce,
  databaseUntil,
  ENGINE,
  logInAt,
  type Nodes,
  type Statuses,
  shareNodes,
  statusesOf,
  TOKENS,
  toNodes,
  validIds,
} from './nodes.js';

const STARTS = FULL ? 10 : 1;
const ROUNDS = FULL ? 20 : 2;
const PROGRAM = `races, ${ENGINE}`;
const EMAIL = 'admin@latchkey.local';

/** Every test database on PostgreSQL has its tables in the schema `public`, so that this one is empty. */
const SCHEMA = 'of_latchkey';

/** Nodes that have made the schema and the first user themselves, and the password that one of them printed. */
async function startFirst(whenDone: WhenDone): Promise<Nodes & { passwords: string[] }> {
  const database = await databaseUntil(whenDone);
  const env = {
    LATCHKEY_DATABASE: database,
    LATCHKEY_MAX_TOKENS_PER_OWNER: '3',
    ...(isOnPostgres && { LATCHKEY_DATABASE_SCHEMA: SCHEMA }),
  };
  const all = await atOnce(4, () => serve(env, [], { whenDone }));
  const passwords = all.flatMap(({ output }) => output.stdout.match(/(?<=with password )\S+/g) ?? []);
  return { ...toNodes(database, all), passwords };
}

const shared = shareNodes(startFirst);

test('of four first starts at once on an empty database all serve, and one adds the first user', {
  timeout: 300_000,
}, async () => {
  for (let round = 0; round < STARTS; round++) {
    const cleanUps: (() => Promise<unknown>)[] = [];
    const nodes = round === 0 ? await shared() : await startFirst((cleanUp) => cleanUps.push(cleanUp));
    expect(nodes.passwords).toHaveLength(1);
    const [password = ''] = nodes.passwords;
    for (const { url } of nodes.all) await logInTo(url, { email: EMAIL, password });
    const schema = isOnPostgres ? `${SCHEMA}.` : '';
    for (const table of ['users', 'organizations']) {
      expect(await rowsOf(nodes, `select count(*) as count from ${schema}${table}`)).toEqual([{ count: 1 }]);
    }
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  }
  publish(PROGRAM, 'four first starts at once on an empty database: all serve', `${String(STARTS)} times`);
});

test('with a limit of 3 tokens, of 50 creates at once 3 succeed', { timeout: 120_000 }, async () => {
  const nodes = await shared();
  const admin = await logInAt(nodes.at(0), { email: EMAIL, password: nodes.passwords[0] ?? '' });
  const seen: Statuses[] = [];
  const listed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const owner = await addUser(nodes.at(round), admin, `limited-${String(round)}@example.org`);
    const create = (index: number) =>
      ask(nodes.at(index), `POST ${TOKENS}`, { token: owner.token, json: { name: 'one of many' } });
    seen.push(statusesOf(await atOnce(50, create)));
    listed.push((await validIds(nodes.at(round), owner.token, '&tokenType=pat')).length);
  }
  const most = String(Math.max(...listed));
  publish(PROGRAM, `${String(ROUNDS)} times 50 creates with a limit of 3: tokens at most`, most, '3');
  expect(listed).toEqual(listed.map(() => 3));
  expect(seen).toEqual(seen.map(() => ({ 201: 3, 409: 47 })));
});
