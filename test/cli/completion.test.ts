import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { latchkey, newFolder } from '../support/process.js';

const run = promisify(execFile);
const SHELLS = ['bash', 'zsh', 'fish'];

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

/** What may follow, without what it means. */
async function candidates(words: string[], env: Record<string, string> = {}): Promise<string[]> {
  const { code, stdout, stderr } = await latchkey(['complete', '--', ...words], { env });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t')[0] ?? '');
}

/** A folder for profiles, with two. */
async function twoProfiles(): Promise<Record<string, string>> {
  const folder = await newFolder();
  await mkdir(join(folder, 'profiles'));
  for (const name of ['staging', 'work']) await writeFile(join(folder, 'profiles', `${name}.json`), '');
  await writeFile(join(folder, 'profiles', '.work.lock'), '');
  return { LATCHKEY_CONFIG: folder };
}

describe('what may follow', () => {
  test.each([
    [['tok'], ['tokens']],
    [['tokens', 're'], ['revoke']],
    [['tokens', 'list', '--st'], ['--state']],
    [
      ['tokens', 'list', '--state', 'ex'],
      ['expiring', 'expired'],
    ],
    [
      ['tokens', 'list', '--state=ex'],
      ['--state=expiring', '--state=expired'],
    ],
    // As bash splits it.
    [
      ['tokens', 'list', '--state', '=', 'ex'],
      ['expiring', 'expired'],
    ],
    [
      ['tokens', 'list', '--state', '='],
      ['active', 'expiring', 'expired', 'revoked', 'disabled'],
    ],
    [['tokens', 'list', '--json', '--limit', '5', '--sort', '-n'], ['-name']],
    [['completion', ''], SHELLS],
    [['serve', '--database', ''], [':files']],
    [['copy', '--from', ''], [':files']],
    [['backup', ''], [':files']],
    [['restore', '--force', 'mon'], [':files']],
    [['scan', ''], [':files']],
    [['tokens', 'create', '--description', ''], []],
    [['tokens', 'create', '--', '--qu'], []],
    [['tokens', 'show', ''], []],
    [['nonsense', ''], []],
  ])('%j is %j', async (words, expected) => {
    expect(await candidates(words)).toEqual(expected);
  });

  test('is every command that the help shows, with what it does, and none that is hidden', async () => {
    const { stdout: help } = await latchkey(['--help']);
    const { stdout } = await latchkey(['complete', '--', '']);
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '');
    for (const name of names) expect(help).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(names).toEqual(
      expect.arrayContaining(['login', 'tokens', 'serve', 'backup', 'restore', 'check', 'completion', 'help']),
    );
    expect(names).not.toContain('complete');
    expect(stdout).toMatch(/^tokens\tCreate, list, show, rotate, edit, revoke, transfer and verify tokens\.$/m);
  });

  test('--profile is the name of a profile', async () => {
    const env = await twoProfiles();
    expect(await candidates(['whoami', '--profile', ''], env)).toEqual(['staging', 'work']);
    expect(await candidates(['tokens', 'list', '--profile', 'w'], env)).toEqual(['work']);
  });
});

describe('latchkey completion', () => {
  test.each(SHELLS)('%s prints a script', async (shell) => {
    const { code, stdout } = await latchkey(['completion', shell]);
    expect(code).toBe(0);
    expect(stdout).toContain('complete --');
    // Nothing on the line that is being completed is ever run.
    expect(stdout).not.toMatch(/\beval\b/);
  });

  for (const shell of SHELLS) {
    test.skipIf(!isInstalled(shell))(`${shell}, where it is installed, reads its script`, async () => {
      const { script } = await installed(shell);
      await run(shell, ['-n', script]);
    });
  }

  test('of another shell ends with code 2', async () => {
    const { code, stderr } = await latchkey(['completion', 'tcsh']);
    expect(stderr).toContain('Allowed choices are bash, zsh, fish.');
    expect(code).toBe(2);
  });
});

/** A folder with `latchkey` in it, and the script of the shell. */
async function installed(shell: string): Promise<{ folder: string; script: string; env: Record<string, string> }> {
  const folder = await newFolder();
  const command = join(folder, 'latchkey');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/cli/main.js')}' "$@"\n`);
  await chmod(command, 0o755);
  const script = join(folder, `completion.${shell}`);
  await writeFile(script, (await latchkey(['completion', shell])).stdout);
  const env = { ...(await twoProfiles()), PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder };
  return { folder, script, env };
}

describe('in bash', () => {
  async function complete(line: string[], env: Record<string, string>, script: string): Promise<string[]> {
    const program = `
      source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _latchkey
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--norc', '-euc', program, 'bash', script, ...line], { env });
    return stdout.trim().split('\n');
  }

  test('Tab gives commands, flags, their values and profiles', async () => {
    const { env, script } = await installed('bash');
    expect(await complete(['latchkey', 'tokens', 'ro'], env, script)).toEqual(['rotate']);
    expect(await complete(['latchkey', 'tokens', 'list', '--type', 's'], env, script)).toEqual(['session']);
    expect(await complete(['latchkey', 'whoami', '--profile', ''], env, script)).toEqual(['staging', 'work']);
    expect(await complete(['latchkey', 'tokens', 'show', 'ci'], env, script)).toEqual(['']);
  });

  test('Tab runs nothing that stands on the line', async () => {
    const { env, script, folder } = await installed('bash');
    const evil = `$(touch ${join(folder, 'pwned')})`;
    await complete(['latchkey', 'tokens', 'show', evil, '`touch pwned`', '; touch pwned', ''], env, script);
    const { stdout } = await run('ls', [folder]);
    expect(stdout).not.toContain('pwned');
  });
});
