// What npm runs after an install, here and where a project has this repository as its dependency: builds, where it can.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync('node_modules/rolldown')) {
  execFileSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
} else if (!existsSync('dist/cli/main.js')) {
  console.error(
    'latchkey is not built, and what builds it was left out: run `npm ci`, which builds, and then `npm prune --omit=dev`',
  );
  process.exitCode = 1;
}
