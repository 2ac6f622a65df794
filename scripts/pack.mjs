// Packs both packages as they would be published, into the folder of the argument, `dist-packages` by default.
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const [folder = 'dist-packages'] = process.argv.slice(2);

await mkdir(folder, { recursive: true });
for (const packageFolder of ['./', './client']) {
  const options = ['--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', packageFolder, ...options]);
  for (const { filename } of Object.values(JSON.parse(stdout))) console.log(join(folder, filename));
}
