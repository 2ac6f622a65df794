import { execFileSync } from 'node:child_process';

/** The tests of the command run what `npm ci` built; built anew, so that they never test yesterday's code. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
