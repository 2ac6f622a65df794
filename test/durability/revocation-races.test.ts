import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ADMIN, type Serving } from '../support/process.js';
import { FULL, publish } from './figures.js';
import {
  addUser,
  ask,
  atOnce,
  ENGINE,
  type Issued,
  issue,
  logInAt,
  type Nodes,
  type Person,
  shareNodes,
  startNodes,
  TOKENS,
  validIds,
} from './nodes.js';

// Tokens are created while all tokens of their owner are revoked, or while their owner is disabled.

const ROUNDS = FULL ? 30 : 3;
/** Creators of each kind at each node. */
const CREATORS = 2;
const { password: PASSWORD } = ADMIN;
const PROGRAM = `races, ${ENGINE}`;

const shared = shareNodes(startNodes);

let loggedIn: Promise<Person> | undefined;

/** The shared nodes, with the first user logged in once. */
async function start() {
  const nodes = await shared();
  loggedIn ??= logInAt(nodes.at(0));
  return { nodes, admin: await loggedIn };
}

interface Create {
  /** Undefined if the create was rejected. */
  id: string | undefined;
  /** Whether the revocation ends the credential. */
  isRevoked: boolean;
  sentAt: number;
  answeredAt: number;
}

/** Creates tokens at `node` with `token` until the credential is rejected or `isOver` holds. */
async function createUntil(
  creates: Create[],
  node: Serving,
  { token, isRevoked }: { token: string; isRevoked: boolean },
  isOver: () => boolean,
): Promise<void> {
  for (let status = 201; status === 201 && !isOver(); ) {
    const sentAt = performance.now();
    const answer = await ask(node, `POST ${TOKENS}`, { token, json: { name: 'made meanwhile' } });
    status = answer.status;
    const id = status === 201 ? (answer.body as Issued).token.id : undefined;
    creates.push({ id, isRevoked, sentAt, answeredAt: performance.now() });
  }
}

/** Sends `revoke` while creators work, and resolves with its instants when all have ended. */
async function racing(
  nodes: Nodes,
  creates: Create[],
  credentials: { token: string; isRevoked: boolean }[],
  revoke: () => Promise<unknown>,
): Promise<{ sentAt: number; answeredAt: number }> {
  let end = Number.POSITIVE_INFINITY;
  const creators = nodes.all.flatMap((node) =>
    credentials.flatMap((credential) =>
      Array.from({ length: CREATORS }, () => createUntil(creates, node, credential, () => performance.now() > end)),
    ),
  );
  await sleep(50 + Math.random() * 100);
  const sentAt = performance.now();
  await revoke();
  const answeredAt = performance.now();
  end = answeredAt + 50;
  await Promise.all(creators);
  return { sentAt, answeredAt };
}

test('a token that is created beside revoking all is revoked and counted, or was created later by a valid credential', {
  timeout: 300_000,
}, async () => {
  const { nodes, admin } = await start();
  const user = await addUser(nodes.at(0), admin, 'revokes-all@example.org');
  const total = { created: 0, survived: 0, uncounted: 0, early: 0, byRevoked: 0, lost: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const others = await atOnce(2, (index) => issue(nodes.at(index), user.token, { name: 'creator' }));
    const credentials = [
      { token: user.token, isRevoked: false },
      ...others.map(({ plaintext }) => ({ token: plaintext, isRevoked: true })),
    ];
    const creates: Create[] = [];
    let revokedCount = 0;
    const revokeAll = async () => {
      const line = `DELETE ${TOKENS}?exclude_current=true` as const;
      const { status, body } = await ask(nodes.at(round), line, { token: user.token });
      expect(status).toBe(200);
      ({ revokedCount } = body as { revokedCount: number });
    };
    const revocation = await racing(nodes, creates, credentials, revokeAll);

    const made = creates.filter(({ id }) => id !== undefined);
    const valid = new Set(await validIds(nodes.at(round + 1), user.token, '&tokenType=pat'));
    const survivors = made.filter(({ id = '' }) => valid.has(id));
    const later = creates.filter(({ sentAt }) => sentAt > revocation.answeredAt);
    total.created += made.length;
    total.survived += survivors.length;
    total.uncounted += Math.abs(made.length + others.length - survivors.length - revokedCount);
    total.uncounted += valid.size - survivors.length;
    total.early += survivors.filter(({ answeredAt }) => answeredAt < revocation.sentAt).length;
    total.byRevoked += survivors.filter(({ isRevoked }) => isRevoked).length;
    total.byRevoked += later.filter(({ id, isRevoked }) => isRevoked && id !== undefined).length;
    total.lost += later.filter(({ id, isRevoked }) => !isRevoked && (id === undefined || !valid.has(id))).length;
    // The next round begins with the session alone.
    await revokeAll();
  }
  const { created, survived, ...breaches } = total;
  const figures = `${String(created)}, ${String(survived)}`;
  publish(PROGRAM, `created beside revoking all (${String(ROUNDS)} times), and of these not revoked`, figures);
  publish(PROGRAM, 'of these neither counted nor created later', String(breaches.uncounted), '0');
  publish(PROGRAM, 'answered before revoking all was sent, and not revoked', String(breaches.early), '0');
  publish(PROGRAM, 'created by a credential that was revoked', String(breaches.byRevoked), '0');
  publish(PROGRAM, 'sent after the answer, and rejected or revoked', String(breaches.lost), '0');
  expect(breaches).toEqual({ uncounted: 0, early: 0, byRevoked: 0, lost: 0 });
  expect(created).toBeGreaterThan(ROUNDS * 10);
  expect(survived).toBeGreaterThan(0);
});

test('no token, session or refreshed session that is made beside disabling its owner is valid afterwards', {
  timeout: 300_000,
}, async () => {
  const { nodes, admin } = await start();
  const user = await addUser(nodes.at(0), admin, 'is-disabled@example.org');
  const line = `PATCH /api/v1/users/${String(user.id)}` as const;
  const total = { created: 0, refreshed: 0, survived: 0, afterwards: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const session = await logInAt(nodes.at(round), { email: user.email, password: PASSWORD });
    const { plaintext } = await issue(nodes.at(round), session.token, { name: 'creator' });
    const credentials = [session.token, plaintext].map((token) => ({ token, isRevoked: true }));
    const creates: Create[] = [];
    const disable = async () => {
      const json = { disabled: true, revokeTokens: true };
      expect((await ask(nodes.at(round), line, { token: admin.token, json })).status).toBe(200);
    };
    let isDisabled = false;
    const sessions = [
      refreshUntilRejected(nodes, session.refreshToken, () => total.refreshed++),
      logInUntil(nodes.at(round + 1), user.email, () => isDisabled),
    ];
    const disabling = await racing(nodes, creates, credentials, async () => {
      await disable();
      isDisabled = true;
    });
    await Promise.all(sessions);
    const made = creates.filter(({ id }) => id !== undefined);
    total.created += made.length;
    total.afterwards += made.filter(({ sentAt }) => sentAt > disabling.answeredAt).length;

    expect((await ask(nodes.at(round), line, { token: admin.token, json: { disabled: false } })).status).toBe(200);
    const again = await logInAt(nodes.at(round), { email: user.email, password: PASSWORD });
    // The new session itself is the one valid token.
    total.survived += (await validIds(nodes.at(round + 1), again.token)).length - 1;
    expect((await ask(nodes.at(round), 'POST /api/v1/auth/logout', { token: again.token })).status).toBe(204);
  }
  const { created, refreshed, ...breaches } = total;
  const figures = `${String(created)}, ${String(refreshed)}`;
  publish(PROGRAM, `created and refreshed beside disabling the owner (${String(ROUNDS)} times)`, figures);
  publish(PROGRAM, 'of these valid when the owner is enabled again', String(breaches.survived), '0');
  publish(PROGRAM, 'sent after the answer, and created', String(breaches.afterwards), '0');
  expect(breaches).toEqual({ survived: 0, afterwards: 0 });
  expect(created).toBeGreaterThan(ROUNDS * 5);
  expect(refreshed).toBeGreaterThan(0);
});

/** Refreshes a session at one node after the other, until that is rejected. */
async function refreshUntilRejected(nodes: Nodes, first: string, whenRefreshed: () => void): Promise<void> {
  let next = first;
  for (let index = 0; ; index++) {
    const json = { refresh_token: next };
    const { status, body } = await ask(nodes.at(index), 'POST /api/v1/auth/refresh/', { json });
    if (status !== 200) return;
    next = (body as { refresh_token: string }).refresh_token;
    whenRefreshed();
  }
}

/** Logs in again and again, until `isOver` holds or that is rejected. */
async function logInUntil(node: Serving, email: string, isOver: () => boolean): Promise<void> {
  const json = { username: email, password: PASSWORD };
  while (!isOver()) {
    const { status } = await ask(node, 'POST /api/v1/auth/login/', { json });
    if (status !== 200) return;
  }
}
