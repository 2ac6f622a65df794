import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = ['generated', 'client', 'server', 'contract', 'scan', 'cli', 'testing', 'web'];
/** Written after each build, and removed with `dist`. */
const STAMP = 'dist/.built-for-tests';

/** Builds the command and the packages for their tests, if a source has changed since the last build. */
export default function build(): void {
  if (isFresh()) return;
  const startedAt = new Date();
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  writeFileSync(STAMP, startedAt.toISOString());
}

function isFresh(): boolean {
  const stamp = statSync(STAMP, { throwIfNoEntry: false });
  if (stamp === undefined) return false;
  const settings = readdirSync('.').filter(
    (name) => /\.(json|yaml|config\.ts|config\.js|config\.mjs)$/.test(name) && name !== 'vitest.config.ts',
  );
  const folders = SOURCES.flatMap((folder) => [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => !/(^|\/)(dist|node_modules)(\/|$)/.test(name))
      .map((name) => join(folder, name)),
  ]);
  return [...settings, ...folders].every((path) => statSync(path).mtimeMs < stamp.mtimeMs);
}
