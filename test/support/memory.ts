import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files in this folder are in memory on Linux. */
const MEMORY = '/dev/shm';
/** Bytes that must be free there: a run needs half of it. */
const ENOUGH = 2_000_000_000;
const PREFIX = 'latchkey-tests-';

/**
 * Puts the temporary files of this run into memory, where a flush takes no time. The tests wait for flushes half of their time
 * otherwise. `npm run durability` uses the disk.
 */
export default function setUp(): void {
  if (process.platform !== 'linux' || process.env['LATCHKEY_DURABILITY'] !== undefined) return;
  if (process.env['TMPDIR'] !== undefined || !isLargeEnough()) return;
  for (const name of readdirSync(MEMORY).filter(isLeft)) rmSync(join(MEMORY, name), { recursive: true, force: true });
  const folder = join(MEMORY, `${PREFIX}${String(process.pid)}`);
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  // Open to the user as whom PostgreSQL runs.
  mkdirSync(folder, { mode: 0o1777 });
  process.once('exit', remove);
  if (allowsPrograms(folder)) process.env['TMPDIR'] = folder;
  else remove();
}

function isLargeEnough(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ENOUGH;
  } catch {
    return false;
  }
}

/** Whether the folder is of a run that was killed. */
function isLeft(name: string): boolean {
  if (!name.startsWith(PREFIX)) return false;
  try {
    process.kill(Number(name.slice(PREFIX.length)), 0);
    return false;
  } catch {
    return true;
  }
}

function allowsPrograms(folder: string): boolean {
  const program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  try {
    execFileSync(program);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(program);
  }
}
