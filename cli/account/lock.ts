import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WrongUse } from '../failure.js';

/** Milliseconds after which whoever holds a lock has come to grief; longer than anything that is done under one. */
const STALE = 15_000;
const PATIENCE = STALE + 5_000;
const PAUSE = 25;

/** Runs `work` while no other process runs one under the file at `path`. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE;
  while (!(await isCreated(path))) {
    if (Date.now() > end) throw new WrongUse(`another latchkey holds ${path}; remove it where there is none`);
    await removeStale(path);
    await sleep(PAUSE * (0.5 + Math.random()));
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function isCreated(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Out of the way first: of several who find it stale one moves it, and the others move nothing. */
async function removeStale(path: string): Promise<void> {
  const moved = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs < STALE) return;
    await rename(path, moved);
    await rm(moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
