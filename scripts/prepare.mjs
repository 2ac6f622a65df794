// npm runs this after an install, here and where a project depends on this repository. Builds if the build tools are
// installed.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync('node_modules/rolldown')) {
  execFileSync('npm', ['run', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
} else if (!existsSync('dist/cli/main.js')) {
  console.error(
    'latchkey is not built, and its build tools are not installed: run `npm ci`, which builds, and then `npm prune --omit=dev`',
  );
  process.exitCode = 1;
}
