import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { newFolder } from './support/process.js';

const run = promisify(execFile);

/** A copy of the example that has what is packed of this package installed, and otherwise what is installed here. */
async function install(example: string): Promise<string> {
  const folder = join(await newFolder(), example);
  await cp(join('examples', example), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'latchkey'), { recursive: true });
  for (const name of await readdir('node_modules')) {
    if (name.startsWith('.') || name === 'latchkey') continue;
    await symlink(resolve('node_modules', name), join(modules, name));
  }
  const { stdout } = await run('npm', [
    'pack',
    '--ignore-scripts',
    '--json',
    '--loglevel=error',
    '--pack-destination',
    folder,
  ]);
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  const tarball = join(folder, packed?.filename ?? '');
  await run('tar', ['-xzf', tarball, '-C', join(modules, 'latchkey'), '--strip-components', '1']);
  return folder;
}

test('examples/vitest-local-server and the README pass with the packed package', { timeout: 120_000 }, async () => {
  const folder = await install('vitest-local-server');
  const [, readme = ''] = /<!-- vitest -->\n+```ts\n(.*?)```/s.exec(await readFile('README.md', 'utf8')) ?? [];
  await writeFile(join(folder, 'test', 'readme.test.ts'), readme);
  const options = { cwd: folder, env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' } };
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc')], options);
  const { stdout } = await run(process.execPath, [resolve('node_modules/vitest/vitest.mjs'), 'run'], options);
  expect(stdout).toMatch(/Tests +11 passed \(11\)/);
});
