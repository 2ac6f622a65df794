import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type AuditEvent, createLatchkey } from '../../client/index.js';
import { latchkey, type Serving, serveDatabase } from '../support/process.js';
import { rowsOf } from '../support/store.js';
import { FULL, milliseconds, publish, quantile } from './figures.js';
import {
  ask,
  atOnce,
  databaseUntil,
  ENGINE,
  issue,
  logInAt,
  type Nodes,
  type Person,
  shareNodes,
  TOKENS,
  toNodes,
} from './nodes.js';

// The chain of events while several processes write it, and those who follow it meanwhile.

const PROCESSES = 3;
const WRITERS = 64;
/** Tokens that each writer creates and revokes. */
const TURNS = FULL ? 50 : 3;
const REVOCATIONS = FULL ? 500 : 20;
/** Milliseconds. A run beside all other tests says nothing about how quick a follower is. */
const REACHES_AFTER = FULL ? 100 : 2_000;

const shared = shareNodes(async (whenDone) => {
  const database = await databaseUntil(whenDone);
  return toNodes(database, await atOnce(PROCESSES, () => serveDatabase(database, {}, { whenDone })));
});

/** Follows the events at a node until `isOver`. */
function follow({ url }: Serving, { token }: Person, after: number | undefined) {
  const seen: AuditEvent[] = [];
  const ending = new AbortController();
  const ended = (async () => {
    for await (const event of createLatchkey({ baseUrl: url, token }).events({ after, signal: ending.signal }))
      seen.push(event);
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  return {
    seen,
    async end() {
      ending.abort();
      await ended;
    },
  };
}

test('64 writers on 3 processes make one chain: each answered change is in it once, and every follower sees it whole', {
  timeout: FULL ? 900_000 : 120_000,
}, async () => {
  const nodes = await shared();
  const admin = await logInAt(nodes.at(0));
  const followers = nodes.all.map((node) => follow(node, admin, 0));
  const answered: string[] = [];
  await atOnce(WRITERS, async (writer) => {
    const node = nodes.at(writer);
    for (let turn = 0; turn < TURNS; turn++) {
      const requestId = `${String(writer)}.${String(turn)}`;
      const headers = (kind: string) => ({ 'X-Request-Id': `${kind}.${requestId}` });
      const made = await ask(node, `POST ${TOKENS}`, {
        token: admin.token,
        json: { name: 'a' },
        headers: headers('create'),
      });
      const { token } = made.body as { token: { id: string } };
      const revoked = await ask(node, `DELETE ${TOKENS}/${token.id}`, {
        token: admin.token,
        headers: headers('revoke'),
      });
      expect([made.status, revoked.status]).toEqual([201, 204]);
      answered.push(`create.${requestId}`, `revoke.${requestId}`);
    }
  });
  await expect.poll(() => unlinked(nodes), { timeout: 20_000, interval: 200 }).toBe(0);
  const rows = await rowsOf(nodes, 'select seq, request_id from audit_events order by seq');
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
  const ids = rows.map(({ request_id }) => String(request_id)).filter((id) => /^(create|revoke)\./.test(id));
  expect(ids.sort()).toEqual(answered.sort());
  const verified = await latchkey(['audit', 'verify', '--database', nodes.database]);
  expect(verified).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${String(rows.length)} events is whole`) as string,
  });
  for (const { seen, end } of followers) {
    await expect.poll(() => seen.length, { timeout: 20_000, interval: 100 }).toBeGreaterThanOrEqual(rows.length);
    await end();
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
  }
  publish(
    'chain',
    `${ENGINE}, 64 writers on 3 processes: answered changes, events`,
    `${String(answered.length)}, ${String(ids.length)}`,
  );
});

async function unlinked(nodes: Nodes): Promise<number> {
  const [row] = await rowsOf(nodes, 'select count(*) as count from audit_events where seq is null');
  return Number(row?.['count']);
}

test('a revocation soon reaches a follower on another process', { timeout: FULL ? 900_000 : 60_000 }, async () => {
  const nodes = await shared();
  const admin = await logInAt(nodes.at(0));
  const follower = follow(nodes.at(1), admin, undefined);
  const times: number[] = [];
  // Until the follower is there: what happens before is not for it.
  for (;;) {
    await issue(nodes.at(0), admin.token, { name: 'before' });
    await sleep(100);
    if (follower.seen.length > 0) break;
  }
  for (let count = 0; count < REVOCATIONS; count++) {
    const { token } = await issue(nodes.at(0), admin.token, { name: 'revoked' });
    await ask(nodes.at(0), `DELETE ${TOKENS}/${token.id}`, { token: admin.token });
    const answeredAt = performance.now();
    while (!follower.seen.some(({ action, target }) => action === 'token.revoked' && target?.tokenId === token.id))
      await sleep(1);
    times.push(performance.now() - answeredAt);
    follower.seen.length = 0;
  }
  await follower.end();
  const p99 = quantile(times, 0.99);
  publish(
    'chain',
    `${ENGINE}: from a revocation's answer to a follower on another process, p50`,
    milliseconds(quantile(times, 0.5)),
  );
  publish(
    'chain',
    `${ENGINE}: from a revocation's answer to a follower on another process, p99`,
    milliseconds(p99),
    `≤ ${milliseconds(REACHES_AFTER)}`,
  );
  expect(p99).toBeLessThanOrEqual(REACHES_AFTER);
});
