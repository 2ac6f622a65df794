// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

// Runs the programs of test/durability/ in full, one after the other, and prints their figures as a table. Takes about half
// an hour. Arguments of `npm run durability` select files.

const folder = mkdtempSync(join(tmpdir(), 'latchkey-durability-'));
const figures = join(folder, 'figures');
try {
  const { status } = spawnSync(
    'npx',
    [
      'vitest',
      'run',
      '--no-file-parallelism',
      ...(process.argv.length > 2 ? process.argv.slice(2) : ['test/durability/']),
    ],
    { stdio: 'inherit', env: { ...process.env, LATCHKEY_DURABILITY: figures } },
  );
  process.exitCode = status ?? 1;
  const lines = existsSync(figures) ? readFileSync(figures, 'utf8').trim().split('\n') : [];
  console.log(`\nNode ${process.version}, ${cpus().length} cores\n`);
  console.log('| program | figure | measured | promise |\n| --- | --- | --- | --- |');
  for (const line of lines) console.log(`| ${JSON.parse(line).join(' | ')} |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
