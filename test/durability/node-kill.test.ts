import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Serving, serveDatabase } from '../support/process.js';
import { endure, expectTruth } from './endure.js';
import { expectEachChangeOnce } from './events.js';
import { FULL } from './figures.js';
import { ENGINE, shareNodes, startNodes } from './nodes.js';

const ROUNDS = FULL ? 50 : 1;

const shared = shareNodes(startNodes);

test('kill -9 of one of several processes under load loses neither a change nor its event, and the others serve on', {
  timeout: FULL ? 3_600_000 : 300_000,
}, async () => {
  const nodes = await shared();
  const kill = async () => {
    await sleep(Math.random() * 200);
    const [killed] = nodes.all as [Serving];
    killed.child.kill('SIGKILL');
    await killed.finished;
    await sleep(200);
    nodes.all[0] = await serveDatabase(nodes.database);
    return performance.now();
  };
  const [, ...others] = await endure('nodes', `kill -9 of one process, ${ENGINE}`, nodes, kill, ROUNDS);
  await expectEachChangeOnce(nodes.database);
  for (const seen of others) {
    expectTruth(seen);
    expect([...seen.valid, ...seen.revoked]).toEqual([200, 401]);
  }
});
