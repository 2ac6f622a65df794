// Packs both packages as they would be published, and checks the tarballs with publint and "are the types wrong".
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'latchkey-packages-'));

try {
  for (const [name, packageFolder] of [
    ['latchkey', '.'],
    ['@latchkey/client', 'client'],
  ]) {
    const { stdout } = await run('npm', [
      ...['pack', `./${packageFolder}`, '--json', '--ignore-scripts', '--loglevel=error'],
      ...['--pack-destination', folder],
    ]);
    const [packed] = Object.values(JSON.parse(stdout));
    const tarball = join(folder, packed.filename);
    await check('publint', 'run', tarball, '--strict');
    // Both packages are ESM only; entries that are not modules are excluded.
    await check(
      'attw',
      tarball,
      '--profile',
      'esm-only',
      '--exclude-entrypoints',
      './openapi.yaml',
      './openapi.json',
      './testing/openapi.yaml',
      './seed.schema.json',
    );
    console.log(`${name} ${packed.version}: ${packed.entryCount} files, ${Math.ceil(packed.size / 1_000)} kB packed`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function check(command, ...args) {
  try {
    await run(join('node_modules', '.bin', command), args);
  } catch ({ stdout, stderr }) {
    console.error(`${stdout}${stderr}`);
    process.exitCode = 1;
  }
}
