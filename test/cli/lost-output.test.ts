import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openUsers } from '../../server/index.js';
import { ADA, type CommandLine, startCommandLine, startLoggedIn } from '../support/command.js';
import { plaintextOf } from '../support/local-server.js';
import { latchkey, logInTo, newFolder, serveDatabase } from '../support/process.js';

// A secret that is made is shown once: where nobody can see it, it is not made, or one sentence says so.

const shell = (redirection: string) => ['bash', '--norc', '-c', redirection, 'bash'];
/** A device that is always full, which even an empty write finds out. */
const FULL = shell('exec "$@" > /dev/full');
/** A disk that is full by the time of the writing: files may have no byte. */
const FULL_LATER = shell('trap "" XFSZ; ulimit -f 0; exec "$@" > file.txt');
const NO_READER = shell('set -o pipefail; "$@" | true');
const UNDONE = 'latchkey: standard output cannot be written: no space left on device; nothing was done\n';

function run({ env }: CommandLine, prefix: string[], args: string[], cwd: string, input = '') {
  return latchkey(args, { env, cwd, prefix, input });
}

let cwd: string;
beforeEach(async () => {
  cwd = await newFolder();
});

describe('where standard output takes nothing', () => {
  test('no token is created', async () => {
    const line = await startLoggedIn();
    line.server.requests.clear();
    const { code, stderr } = await run(line, FULL, ['tokens', 'create', 'lost'], cwd);
    expect({ code, stderr }).toEqual({ code: 2, stderr: UNDONE });
    expect(line.server.requests.all()).toEqual([]);
  });

  test('no token is rotated', async () => {
    const line = await startLoggedIn();
    const { code, stderr } = await run(line, FULL, ['tokens', 'rotate', 'deploy bot'], cwd);
    expect({ code, stderr }).toEqual({ code: 2, stderr: UNDONE });
    const own = line.server.client(plaintextOf(line.server, 'deploy bot'));
    expect((await own.getCurrentAccessToken()).previousSecret).toBeNull();
  });

  test('nobody is logged in', async () => {
    const line = await startCommandLine();
    line.server.requests.clear();
    const args = ['login', '--url', line.server.url, '--email', ADA.email, '--password-stdin'];
    const { code, stderr } = await run(line, FULL, args, cwd, `${ADA.password}\n`);
    expect({ code, stderr }).toEqual({ code: 2, stderr: UNDONE });
    expect(line.server.requests.all()).toEqual([]);
    expect(existsSync(line.folder)).toBe(false);
  });

  test('no user is added, and no password replaced', async () => {
    const database = join(cwd, 'latchkey.db');
    const ada = ['ada@example.org', '--database', database];
    const added = await latchkey(['users', 'add', ...ada], { cwd, prefix: FULL });
    expect(added).toMatchObject({ code: 2, stderr: UNDONE });
    expect(existsSync(database)).toBe(false);
    const { password } = await addUser(database);
    const set = await latchkey(['users', 'set-password', ...ada], { cwd, prefix: FULL });
    expect(set).toMatchObject({ code: 2, stderr: UNDONE });
    const { url } = await serveDatabase(database);
    await logInTo(url, { email: 'ada@example.org', password });
  });

  test.each([['--help'], ['--version'], ['tokens', 'list'], ['tokens', 'verify'], ['whoami'], ['completion', 'bash']])(
    '%j says so in one line and ends with code 2',
    async (...args) => {
      const line = await startLoggedIn();
      const input = plaintextOf(line.server, 'deploy bot');
      const { code, stderr } = await run(line, FULL, args, cwd, input);
      expect(stderr).toBe('latchkey: standard output cannot be written: no space left on device\n');
      expect(code).toBe(2);
    },
  );
});

describe.each([
  ['a disk that is full by then', FULL_LATER, 'file too large'],
  ['a reader that is gone', NO_READER, 'broken pipe'],
])('where it fails afterwards, of %s', (_, prefix, reason) => {
  test('the token that was created is named, and how to undo it works', async () => {
    const line = await startLoggedIn();
    const { code, stderr } = await run(line, prefix, ['tokens', 'create', 'lost', '--quiet'], cwd);
    const [, id = '', undo = ''] =
      new RegExp(
        `^latchkey: standard output cannot be written: ${reason}: created lost \\((\\S+)\\), but its secret was not shown; to undo it: latchkey (.*)\n$`,
      ).exec(stderr) ?? [];
    expect(stderr).toContain(id);
    expect(code).toBe(2);
    expect(await line.run(undo.split(' '))).toMatchObject({ code: 0 });
    const { revokedAt } = await line.server.client(ADA.email).getAccessToken({ path: { token_id: id } });
    expect(revokedAt).not.toBeNull();
  });

  test('the token that was rotated is named, and so is how to get another secret', async () => {
    const line = await startLoggedIn();
    const { code, stderr } = await run(line, prefix, ['tokens', 'rotate', 'deploy bot', '--quiet'], cwd);
    const [, again = ''] =
      new RegExp(
        `: ${reason}: rotated deploy bot \\(\\S+\\); the earlier secret has ended, but the new one was not shown; to make another: latchkey (.*)\n$`,
      ).exec(stderr) ?? [];
    expect(code).toBe(2);
    const { stdout } = await line.run([...again.split(' '), '--quiet']);
    expect((await line.server.client(stdout.trim()).getCurrentAccessToken()).name).toBe('deploy bot');
  });
});

test('of users whose password nobody has seen a sentence says how to set another', async () => {
  const database = join(cwd, 'latchkey.db');
  const ada = ['ada@example.org', '--database', database];
  const { code, stderr } = await latchkey(['users', 'add', ...ada], { cwd, prefix: NO_READER });
  expect(stderr).toBe(
    'latchkey: standard output cannot be written: broken pipe: added ada@example.org, but the password was not shown; to set another: latchkey users set-password ada@example.org\n',
  );
  expect(code).toBe(2);
});

test('a service whose first password nobody has seen serves all the same, and says how to set another', async () => {
  const env = { LATCHKEY_DATABASE: 'latchkey.db', LATCHKEY_PORT: '0', LATCHKEY_LOG_LEVEL: 'silent' };
  const prefix = shell('exec timeout -s TERM 3 "$@" > /dev/full');
  const { stderr } = await latchkey(['serve'], { cwd, env, prefix });
  expect(stderr).toContain('to set another: latchkey users set-password admin@latchkey.local\n');
  expect(stderr).not.toMatch(/ at .*:\d+:\d+/);
});

test('what is said beside it may be lost: the secret is not', async () => {
  const line = await startLoggedIn();
  const prefix = shell('exec "$@" 2> /dev/full > token.txt');
  const { code } = await run(line, prefix, ['tokens', 'create', 'kept'], cwd);
  expect(code).toBe(0);
  const plaintext = (await readFile(join(cwd, 'token.txt'), 'utf8')).trim();
  expect((await line.server.client(plaintext).getCurrentAccessToken()).name).toBe('kept');
});

async function addUser(database: string): Promise<{ password: string }> {
  const password = 'correct horse battery';
  const store = await openUsers(database, { create: true });
  await store.add({ email: 'ada@example.org', fullName: '', isAdmin: false, password });
  await store.close();
  return { password };
}
