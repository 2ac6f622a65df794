// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/**
 * Whether the packages of the other products are installed. Installs them the first time, without their scripts, and prints
 * why where that fails.
 */
export function installContenders() {
  if (existsSync(`${FOLDER}/node_modules/.package-lock.json`)) return true;
  console.error('installing better-auth and Prism, once');
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--prefix', FOLDER], { encoding: 'utf8' });
  if (status === 0) return true;
  console.error(`better-auth and Prism are left out, since npm could not install them: ${stderr.trim()}`);
  return false;
}
