import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect } from 'vitest';
import { newFolder } from './process.js';
import { scanned } from './scan.js';

/** An environment in which git reads none of this machine's configuration. */
export const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((role) => [
      [`GIT_${role}_NAME`, 'Ada'],
      [`GIT_${role}_EMAIL`, 'ada@example.org'],
      [`GIT_${role}_DATE`, '2026-11-22T12:00:00Z'],
    ]),
  ),
};

/** The folder of the test's repository. */
export let cwd: string;

/** Creates an empty repository in `cwd` before each test of the file. */
export function useRepository(): void {
  beforeEach(async () => {
    cwd = await newFolder();
    git('init', '--quiet', '--initial-branch=main');
  });
}

export function git(...args: string[]): string {
  return gitIn(cwd, ...args);
}

export function gitIn(folder: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: folder, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** Commits these files, and deletes those that are `null`. Resolves with the id of the commit. */
export async function commit(
  files: Record<string, string | Uint8Array | null>,
  message = 'Change it',
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(cwd, dirname(name)), { recursive: true });
    await (content === null ? rm(join(cwd, name)) : writeFile(join(cwd, name), content));
  }
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', message);
  return git('rev-parse', 'HEAD');
}

/** Runs a scan and returns its findings in the history, as `file:line:column commit`. */
export async function historyIn(args = ['.'], options: Parameters<typeof scanned>[1] = {}): Promise<string[]> {
  const { findings, code, stderr } = await scanned(args, { cwd, ...options });
  expect(stderr).toBe('');
  expect(code).toBe(findings.length === 0 ? 0 : 1);
  return findings
    .filter(({ source }) => source === 'history')
    .map(({ file, line, column, commit }) => `${file}:${String(line)}:${String(column)} ${commit ?? 'none'}`);
}
