import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startProxy } from '../../support/lossy-proxy.js';
import { endure, expectTruth } from '../endure.js';
import { FULL, publish } from '../figures.js';
import { databaseUntil, shareNodes, startNodes } from '../nodes.js';

const LOST = FULL ? 100 : 8;

const shared = shareNodes(async (whenDone) => {
  const proxy = await startProxy(await databaseUntil(whenDone), whenDone);
  return { ...(await startNodes(whenDone, { url: proxy.url })), proxy };
});

test('a commit whose answer is lost is 503 and never done again, and an Idempotency-Key answers its repeat', {
  timeout: 120_000,
}, async () => {
  const nodes = await shared();
  let lost = 0;
  const lose = async () => {
    for (; lost < LOST; lost++) {
      await nodes.proxy.loseAnswer('COMMIT\0');
      await sleep(10);
    }
    return performance.now();
  };
  const seen = await endure('lost answers', 'commits without an answer', nodes, lose);
  publish('lost answers', 'commits without an answer', String(lost));
  for (const node of seen) expectTruth(node);
  for (const { valid, revoked } of seen) expect([...valid, ...revoked]).toEqual([200, 401]);
  expect(seen.some(({ changes }) => changes.has(503))).toBe(true);
});
