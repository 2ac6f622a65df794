import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WrongUse } from '../failure.js';

/** Milliseconds after which a lock counts as abandoned; longer than any work under a lock. */
const STALE = 15_000;
const PATIENCE = STALE + 5_000;
const PAUSE = 25;

/** Runs `work` under a lock, the file at `path`, so that no other process runs work under it at the same time. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE;
  while (!(await isCreated(path))) {
    if (Date.now() > end)
      throw new WrongUse(`${path} is locked by another latchkey command; if none is running, remove that file`);
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

/** Renames an abandoned lock before it removes it: if several processes find it, only one of them can rename it. */
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
