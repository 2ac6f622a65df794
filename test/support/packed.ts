import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Packs both packages into `folder`. The global set-up has built what is packed. */
export async function packBoth(folder: string): Promise<{ server: string; client: string }> {
  const { stdout } = await run(process.execPath, ['scripts/pack.mjs', folder]);
  const [server = '', client = ''] = stdout.trim().split('\n');
  return { server, client };
}

/** Unpacks a tarball into the `node_modules` of `project`, without the packages that it depends on. */
export async function unpack(tarball: string, project: string, name: string): Promise<void> {
  const folder = join(project, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
}

/** The names of these packages and of all packages that they depend on, as installed here. */
export async function closureOf(names: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  async function add(name: string): Promise<void> {
    if (found.has(name)) return;
    found.add(name);
    const text = await readFile(join('node_modules', name, 'package.json'), 'utf8');
    const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
    await Promise.all(Object.keys(dependencies).map(add));
  }
  await Promise.all(names.map(add));
  return found;
}

/** Copies installed packages into the `node_modules` of `project`. Links would lead out of `project`. */
export async function copyPackages(names: Iterable<string>, project: string): Promise<void> {
  for (const name of names) {
    const to = join(project, 'node_modules', name);
    await mkdir(dirname(to), { recursive: true });
    await cp(join('node_modules', name), to, { recursive: true });
  }
}
