import { expect, test } from 'vitest';
import { ADMIN } from '../support/process.js';
import { rowsOf } from '../support/store.js';
import { FULL, publish } from './figures.js';
import {
  addUser,
  ask,
  atOnce,
  ENGINE,
  type Issued,
  inTurns,
  issue,
  logInAt,
  type Person,
  type Statuses,
  shareNodes,
  startNodes,
  statusesOf,
  TOKENS,
  validIds,
} from './nodes.js';

// Requests that exclude each other, sent to several processes at once. What one process answers holds for all.

const PAIRS = FULL ? 1_000 : 40;
const ROUNDS = FULL ? 20 : 2;
const PROGRAM = `races, ${ENGINE}`;

const shared = shareNodes(startNodes);

let loggedIn: Promise<Person> | undefined;

/** The shared nodes, with the first user logged in once. */
async function start() {
  const nodes = await shared();
  loggedIn ??= logInAt(nodes.at(0));
  return { nodes, admin: await loggedIn };
}

test('a token that one process has revoked is rejected by the others from the answer on', {
  timeout: 300_000,
}, async () => {
  const { nodes, admin } = await start();
  const total = { uses: 0, accepted: 0 };
  await inTurns(PAIRS, 6, async (pair) => {
    const { plaintext, token } = await issue(nodes.at(pair), admin.token, { name: 'to be revoked' });
    const isAccepted = async (other: number) => {
      const node = nodes.at(pair + other);
      if (pair % 2 === 0) return (await ask(node, `GET ${TOKENS}/current`, { token: plaintext })).status === 200;
      const { body } = await ask(node, `POST ${TOKENS}/verify`, { token: admin.token, json: { token: plaintext } });
      return (body as { valid: boolean }).valid;
    };
    const others = nodes.all.map((_, other) => other).slice(1);
    for (const other of others) expect(await isAccepted(other)).toBe(true);

    let isAnswered = false;
    const use = async (other: number) => {
      for (let after = 0; after < 2; ) {
        const isLater = isAnswered;
        const accepted = await isAccepted(other);
        if (!isLater) continue;
        after++;
        total.uses++;
        if (accepted) total.accepted++;
      }
    };
    const uses = others.map(use);
    const { status } = await ask(nodes.at(pair), `DELETE ${TOKENS}/${token.id}`, { token: admin.token });
    expect(status).toBe(204);
    isAnswered = true;
    await Promise.all(uses);
  });
  const sent = `${String(PAIRS)} revocations here, ${String(total.uses)} uses there: accepted`;
  publish(PROGRAM, sent, String(total.accepted), '0');
  expect(total.accepted).toBe(0);
  expect(total.uses).toBeGreaterThanOrEqual(PAIRS * 2);
});

test('of 64 refreshes of one refresh token one succeeds, and the session is revoked', {
  timeout: 120_000,
}, async () => {
  const { nodes } = await start();
  const seen: Statuses[] = [];
  let usable = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const session = await logInAt(nodes.at(round));
    const json = { refresh_token: session.refreshToken };
    const refresh = (index: number) => ask(nodes.at(index), 'POST /api/v1/auth/refresh/', { json });
    const answers = await atOnce(64, refresh);
    const won = answers.filter(({ status }) => status === 200);
    seen.push(statusesOf(answers));
    const pairs = won.map(({ body }) => body as { access_token: string; refresh_token: string });
    for (const node of nodes.all) {
      for (const token of [session.token, ...pairs.map(({ access_token: access }) => access)]) {
        if ((await ask(node, `GET ${TOKENS}/current`, { token })).status !== 401) usable++;
      }
    }
    for (const { refresh_token: next } of pairs) {
      const { status } = await ask(nodes.at(1), 'POST /api/v1/auth/refresh/', { json: { refresh_token: next } });
      if (status !== 401) usable++;
    }
  }
  publish(PROGRAM, `${String(ROUNDS)} times 64 refreshes of one token: succeeded`, countsOf(seen, 200), '1');
  publish(PROGRAM, 'tokens of these sessions that were usable afterwards', String(usable), '0');
  expect(seen).toEqual(seen.map(() => ({ 200: 1, 401: 63 })));
  expect(usable).toBe(0);
});

test('100 equal requests with one Idempotency-Key create and rotate once, with one answer', {
  timeout: 120_000,
}, async () => {
  const { nodes, admin } = await start();
  const made: number[] = [];
  const answers: number[] = [];
  const statuses: Statuses[] = [];
  const uses: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const name = `made once ${String(round)}`;
    const parts = (purpose: string) => ({
      token: admin.token,
      headers: { 'Idempotency-Key': `${purpose}-of-the-round-${String(round)}` },
    });
    const create = (index: number) => ask(nodes.at(index), `POST ${TOKENS}`, { ...parts('create'), json: { name } });
    const creates = await atOnce(100, create);
    const list = await validIds(nodes.at(1), admin.token, `&q=${encodeURIComponent(name)}`);
    made.push(list.length);

    const [id = ''] = list;
    const rotate = (index: number) =>
      ask(nodes.at(index), `POST ${TOKENS}/${id}/rotate`, { ...parts('rotation'), json: {} });
    const rotations = await atOnce(100, rotate);
    answers.push(different(creates), different(rotations));
    statuses.push(statusesOf(creates), statusesOf(rotations));
    const { plaintext } = rotations[0]?.body as Issued;
    uses.push((await ask(nodes.at(2), `GET ${TOKENS}/current`, { token: plaintext })).status);
  }
  publish(PROGRAM, `${String(ROUNDS)} times 100 creates with one Idempotency-Key: tokens`, range(made), '1');
  publish(PROGRAM, 'different answers to these, and to 100 rotations', range(answers), '1');
  expect(made).toEqual(made.map(() => 1));
  expect(answers).toEqual(answers.map(() => 1));
  expect(statuses).toEqual(made.flatMap(() => [{ 201: 100 }, { 200: 100 }]));
  expect(uses).toEqual(uses.map(() => 200));
});

test('of two editors with one If-Match one succeeds, and the token is as that one wanted it', {
  timeout: 120_000,
}, async () => {
  const { nodes, admin } = await start();
  const rounds = ROUNDS * 10;
  const seen: Statuses[] = [];
  for (let round = 0; round < rounds; round++) {
    const { token, tag } = await issue(nodes.at(round), admin.token, { name: 'to be edited' });
    const headers = { 'If-Match': tag };
    const names = ['first', 'second'];
    const edit = (index: number) => {
      const json = { name: names[index] };
      return ask(nodes.at(round + index), `PATCH ${TOKENS}/${token.id}`, { token: admin.token, headers, json });
    };
    const answers = await atOnce(2, edit);
    const won = answers.flatMap(({ status }, index) => (status === 200 ? [names[index]] : []));
    seen.push(statusesOf(answers));
    const { body } = await ask(nodes.at(round + 2), `GET ${TOKENS}/${token.id}`, { token: admin.token });
    if (won.length === 1) expect((body as { name: string }).name).toBe(won[0]);
  }
  publish(PROGRAM, `${String(rounds)} times two editors with one If-Match: succeeded`, countsOf(seen, 200), '1');
  expect(seen).toEqual(seen.map(() => ({ 200: 1, 412: 1 })));
});

test('creates of several owners with one new set of scopes all succeed, and make one set', {
  timeout: 120_000,
}, async () => {
  const { nodes, admin } = await start();
  const owners = [admin];
  for (const name of ['a', 'b', 'c']) {
    owners.push(await addUser(nodes.at(owners.length), admin, `scopes-${name}@example.org`));
  }
  const rounds = ROUNDS * 5;
  for (let round = 0; round < rounds; round++) {
    const json = { name: 'scoped', scopes: [`round:${String(round)}`, 'round:all'] };
    const create = (index: number) =>
      ask(nodes.at(index), `POST ${TOKENS}`, { token: owners[index % owners.length]?.token ?? '', json });
    expect(statusesOf(await atOnce(12, create))).toEqual({ 201: 12 });
  }
  const [{ count } = { count: 0 }] = await rowsOf(
    nodes,
    "select count(*) as count from scope_sets where scopes like '%round:%'",
  );
  publish(
    PROGRAM,
    `${String(rounds)} new sets of scopes, each named by 12 creates: sets`,
    String(count),
    String(rounds),
  );
  expect(count).toBe(rounds);
});

test('of two administrators who demote each other, or themselves, one stays', { timeout: 120_000 }, async () => {
  const { nodes, admin } = await start();
  const two = [admin, await addUser(nodes.at(1), admin, 'second-admin@example.org', { isAdmin: true })] as const;
  const left: number[] = [];
  const seen: Statuses[] = [];
  const rounds = ROUNDS * 5;
  const setAdmin = (index: number, by: Person, whom: Person, isAdmin: boolean) =>
    ask(nodes.at(index), `PATCH /api/v1/users/${String(whom.id)}`, { token: by.token, json: { isAdmin } });
  for (let round = 0; round < rounds; round++) {
    for (const themselves of [false, true]) {
      const demote = (index: number) => {
        const [by, other] = index === 0 ? two : [two[1], two[0]];
        return setAdmin(round + index, by, themselves ? by : other, false);
      };
      const answers = await atOnce(2, demote);
      const admins = await rowsOf(nodes, 'select email from users where is_admin = 1 and disabled_at is null');
      left.push(admins.length);
      seen.push(statusesOf(answers));
      if (admins.length === 0) break;
      const [stays, other] = admins[0]?.['email'] === ADMIN.email ? two : [two[1], two[0]];
      expect((await setAdmin(round, stays, other, true)).status).toBe(200);
    }
  }
  publish(
    PROGRAM,
    `${String(rounds * 2)} times two administrators demote each other or themselves: left`,
    range(left),
    '1',
  );
  expect(left).toEqual(Array(rounds * 2).fill(1));
  for (const [index, statuses] of seen.entries()) {
    expect(statuses).toEqual(index % 2 === 0 ? { 200: 1, 403: 1 } : { 200: 1, 409: 1 });
  }
});

function different(answers: readonly { text: string }[]): number {
  return new Set(answers.map(({ text }) => text)).size;
}

/** How often the answers of a round had this status: `1`, or `0 to 2` where rounds differ. */
function countsOf(rounds: readonly Statuses[], status: number): string {
  return range(rounds.map((statuses) => statuses[status] ?? 0));
}

function range(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? String(least) : `${String(least)} to ${String(most)}`;
}
