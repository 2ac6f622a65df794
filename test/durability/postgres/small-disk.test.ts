import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { canMountWithoutRoot } from '../../support/namespace.js';
import { fillDisk } from '../disk.js';
import { endure, expectTruth } from '../endure.js';
import { FULL } from '../figures.js';
import { shareNodes, startNodes } from '../nodes.js';
import { startOnSmallDisk } from './small-disk.js';

const ROUNDS = FULL ? 5 : 1;
/** Milliseconds. */
const LASTS = FULL ? 1_500 : 300;

const onSmallDisk = shareNodes(async (whenDone) => {
  const disk = await startOnSmallDisk(whenDone);
  return { ...(await startNodes(whenDone, { url: disk.database })), disk };
});

// A disk of one's own needs a mount, which not every machine allows.
test.skipIf(!canMountWithoutRoot)(
  'with a full disk (53100) changes are 503, and what is read goes on',
  { timeout: 120_000 },
  async () => {
    const nodes = await onSmallDisk();
    const fill = async () => {
      const ballast = join(nodes.disk.folder, 'ballast');
      fillDisk(ballast);
      // Until the tables have no free pages left.
      await expect.poll(() => nodes.disk.log(), { timeout: 30_000 }).toContain('No space left on device');
      await sleep(LASTS);
      rmSync(ballast);
      return performance.now();
    };
    const seen = await endure('outages', 'full disk (53100)', nodes, fill, ROUNDS);
    for (const node of seen) expectTruth(node);
    for (const { valid, revoked } of seen) expect([...valid, ...revoked]).toEqual([200, 401]);
    expect(seen.some(({ changes }) => changes.has(503))).toBe(true);
  },
);
