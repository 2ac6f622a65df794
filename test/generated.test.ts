import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

test('generated/ is what `npm run generate` makes of openapi.yaml, no more and no less', async () => {
  const fresh = await mkdtemp(join(tmpdir(), 'latchkey-generated-'));
  onTestFinished(() => rm(fresh, { recursive: true, force: true }));
  const run = (command: string, ...args: string[]) =>
    execFileSync(join('node_modules', '.bin', command), args, { stdio: 'pipe' });
  run('openapi-ts', '--output', fresh);
  run('redocly', 'bundle', 'openapi.yaml', '--output', join(fresh, 'openapi.json'));
  execFileSync(process.execPath, ['scripts/generate-operations.mjs', fresh]);

  expect(await contents('generated')).toEqual(await contents(fresh));
});

/** Untracked files count too: what lies in the folder is what is compiled and packed. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const entriesByName = files.map((file, index): [string, string] => [
    file.slice(folder.length + 1),
    texts[index] ?? '',
  ]);
  return Object.fromEntries(entriesByName);
}
