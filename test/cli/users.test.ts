import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAccessToken, getMe } from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { isOnPostgres } from '../support/databases.js';
import { ADMIN, clientOf, type Finished, latchkey, logInTo, ownDatabase, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';

const ALICE = { email: 'alice@example.org', password: 'correct horse battery' };

let database: string;
beforeEach(async () => {
  database = await ownDatabase();
});

async function users(...args: string[]): Promise<Finished> {
  return await latchkey(['users', ...args, '--database', database]);
}

/** With `input` as standard input, which `--password-stdin` reads. */
async function usersReading(input: string, ...args: string[]): Promise<Finished> {
  return await latchkey(['users', ...args, '--password-stdin', '--database', database], { input });
}

/** In this process, which is faster than the command, for tests of other commands. */
async function addAlice(): Promise<void> {
  const store = await openUsers(database, { create: true });
  await store.add({ ...ALICE, fullName: '', isAdmin: false });
  await store.close();
}

/** All users, as e-mail, role and state. */
async function stored(): Promise<string[]> {
  if (!isOnPostgres && !existsSync(database)) return [];
  const store = await openUsers(database);
  const users = await store.list();
  await store.close();
  return users.map(
    ({ email, fullName, isAdmin, disabledAt }) =>
      `${email || fullName} ${isAdmin ? 'admin' : 'user'} ${disabledAt === null ? 'enabled' : 'disabled'}`,
  );
}

describe('users add', () => {
  test('the generated password is printed once and opens a session', async () => {
    const { code, stdout, stderr } = await users('add', ALICE.email);
    const [, password = ''] = /^password: ([0-9A-Za-z]{24}) \(shown only once\)$/m.exec(stdout) ?? [];
    expect(stdout).toBe(`added ${ALICE.email}\npassword: ${password} (shown only once)\n`);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { url } = await serveDatabase(database);
    await logInTo(url, { email: ALICE.email, password });
    expect((await users('list')).stdout).not.toContain(password);
  });

  test('--password-stdin takes the first line, whatever ends it, and prints no password', async () => {
    const endings = { unix: '\n', windows: '\r\n', none: '', further: '\nand something else\n' };
    const { url } = await serveDatabase(database);
    for (const [name, ending] of Object.entries(endings)) {
      const user = { email: `${name}@example.org`, password: `password of ${name}` };
      const { code, stdout } = await usersReading(user.password + ending, 'add', user.email);
      expect(stdout).toBe(`added ${user.email}\n`);
      expect(code).toBe(0);
      await logInTo(url, user);
    }
  });

  test('--name and --admin are what the user sees of themselves', async () => {
    await usersReading(`${ALICE.password}\n`, 'add', ALICE.email, '--name', 'Alice Ångström', '--admin');
    await usersReading('another password\n', 'add', 'bob@example.org');
    const { url } = await serveDatabase(database);
    const alice = await logInTo(url, ALICE);
    const bob = await logInTo(url, { email: 'bob@example.org', password: 'another password' });
    expect((await answered(getMe(alice))).user).toMatchObject({ fullName: 'Alice Ångström', isAdmin: true });
    expect((await answered(getMe(bob))).user).toMatchObject({ fullName: '', isAdmin: false });
  });

  test('a user added before the first start is the only one after it', async () => {
    await usersReading(`${ALICE.password}\n`, 'add', ALICE.email);
    const { url, output } = await serveDatabase(database);
    expect(await stored()).toEqual([`${ALICE.email} user enabled`]);
    await expect(logInTo(url, ADMIN)).rejects.toThrow('Wrong e-mail or password.');
    expect(output.stdout).toBe(`latchkey listening on ${url}\n`);
  });

  test('a running server knows the user at once', async () => {
    const { url } = await serveDatabase(database);
    await expect(logInTo(url, ALICE)).rejects.toThrow('Wrong e-mail or password.');
    await usersReading(`${ALICE.password}\n`, 'add', ALICE.email);
    await logInTo(url, ALICE);
  });

  test('an e-mail that is taken, in whatever letter case, ends with code 2 and changes nothing', async () => {
    await addAlice();
    const { code, stdout, stderr } = await usersReading('another password\n', 'add', 'ALICE@Example.ORG', '--admin');
    expect(stderr).toBe(`latchkey: a user ${ALICE.email} already exists\n`);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(await stored()).toEqual([`${ALICE.email} user enabled`]);
    const { url } = await serveDatabase(database);
    await logInTo(url, ALICE);
  });

  test.each([
    ['no @', 'alice', 'an e-mail address'],
    ['white space', 'alice smith@example.org', 'an e-mail address'],
    ['two @', 'alice@home@example.org', 'an e-mail address'],
    ['255 characters', `${'a'.repeat(243)}@example.org`, 'at most 254 characters'],
  ])('an e-mail with %s ends with code 2, what is allowed and no new user', async (_, email, allowed) => {
    const { code, stdout, stderr } = await users('add', email);
    expect(stderr).toMatch(/^latchkey: EMAIL must be /);
    expect(stderr).toContain(allowed);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(await stored()).toEqual([]);
  });

  test.each([
    ['an empty', ''],
    ['a too short', 'secret!\n'],
    ['a too long', `${'x'.repeat(1_025)}\n`],
  ])('%s password ends with code 2, what is allowed and no new user', async (_, input) => {
    const { code, stdout, stderr } = await usersReading(input, 'add', ALICE.email);
    expect(stderr).toBe('latchkey: a password must have 8 to 1024 characters\n');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(await stored()).toEqual([]);
  });
});

test('users list gives every user in the order of their e-mails and every service, with role and state', async () => {
  await usersReading('a good password\n', 'add', 'carol@example.org', '--admin');
  await usersReading('another password\n', 'add', ALICE.email, '--name', 'Alice');
  await users('disable', ALICE.email);
  await users('add', 'deploy jobs', '--service');
  const { code, stdout } = await users('list');
  expect(code).toBe(0);
  const [header, ...rows] = stdout.trimEnd().split('\n');
  expect(header).toBe('ID  EMAIL              NAME         ROLE     STATE     CREATED');
  const created = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
  expect(rows.map((row) => row.replace(created, 'CREATED'))).toEqual([
    '2   alice@example.org  Alice        user     disabled  CREATED',
    '1   carol@example.org  -            admin    enabled   CREATED',
    '3   -                  deploy jobs  service  enabled   CREATED',
  ]);
  const listed = JSON.parse((await users('list', '--json')).stdout) as object[];
  expect(listed[2]).toMatchObject({ id: 3, kind: 'service', email: null, fullName: 'deploy jobs', disabled: false });
});

test('users ls is users list', async () => {
  await addAlice();
  const { stdout, code } = await users('ls');
  expect(code).toBe(0);
  expect(stdout).toBe((await users('list')).stdout);
});

describe('users disable', () => {
  test('from the answer on, every token and session of the user is refused by a running server', async () => {
    await addAlice();
    await usersReading('another password\n', 'add', 'bob@example.org');
    const { url } = await serveDatabase(database);
    const session = await logInTo(url, ALICE);
    const { plaintext } = await answered(createAccessToken({ client: session.client, body: { name: 'bot' } }));
    const bob = await logInTo(url, { email: 'bob@example.org', password: 'another password' });
    for (const token of [session.token, plaintext]) expect(await statusOf(url, token)).toBe(200);

    const { code, stdout } = await users('disable', ALICE.email);
    expect(stdout).toBe(`disabled ${ALICE.email}\n`);
    expect(code).toBe(0);
    for (const token of [session.token, plaintext]) expect(await statusOf(url, token)).toBe(401);
    await expect(logInTo(url, ALICE)).rejects.toThrow('This user is disabled.');
    expect(await statusOf(url, bob.token)).toBe(200);
    expect(await stored()).toContain(`${ALICE.email} user disabled`);
  });

  test('after users enable the tokens serve again, the sessions do not, and the user logs in anew', async () => {
    await addAlice();
    const { url } = await serveDatabase(database);
    const session = await logInTo(url, ALICE);
    const { plaintext } = await answered(createAccessToken({ client: session.client, body: { name: 'bot' } }));
    await users('disable', ALICE.email);
    const { code, stdout } = await users('enable', ALICE.email);
    expect(stdout).toBe(`enabled ${ALICE.email}\n`);
    expect(code).toBe(0);
    expect(await statusOf(url, plaintext)).toBe(200);
    expect(await statusOf(url, session.token)).toBe(401);
    await logInTo(url, ALICE);
    expect(await stored()).toEqual([`${ALICE.email} user enabled`]);
  });
});

test('users disable and enable take the name of a service, and the id of every user', async () => {
  await addAlice();
  const store = await openUsers(database);
  for (const name of ['jobs', 'twins', 'twins']) await store.addService({ name, managers: [], scopes: null });
  await store.close();
  expect(await users('disable', 'jobs')).toMatchObject({ code: 0, stdout: 'disabled jobs\n' });
  expect(await users('disable', '1')).toMatchObject({ code: 0, stdout: 'disabled 1\n' });
  const disabled = [`${ALICE.email} user disabled`, 'jobs user disabled', 'twins user enabled', 'twins user enabled'];
  expect(await stored()).toEqual(disabled);
  const twins = 'latchkey: several users are called twins; use an id: 3, 4\n';
  for (const command of ['disable', 'enable']) {
    expect(await users(command, 'twins')).toMatchObject({ code: 2, stderr: twins });
    expect(await users(command, '5')).toMatchObject({ code: 2, stderr: 'latchkey: there is no user 5\n' });
  }
  expect(await stored()).toEqual(disabled);
  expect(await users('enable', 'jobs')).toMatchObject({ code: 0, stdout: 'enabled jobs\n' });
  expect((await stored())[1]).toBe('jobs user enabled');
});

describe('users disable of the last administrator', () => {
  const BOSS = 'boss@example.org';
  const REFUSAL = `latchkey: ${BOSS} is the last enabled administrator: use --force to disable them anyway\n`;

  async function addAdmins(...emails: string[]): Promise<void> {
    const store = await openUsers(database, { create: true });
    for (const email of emails) await store.add({ email, password: 'a good password', fullName: '', isAdmin: true });
    await store.close();
  }

  test('ends with code 1 and changes nothing: sessions stay too', async () => {
    await addAdmins(BOSS);
    await addAlice();
    const { url } = await serveDatabase(database);
    const { token } = await logInTo(url, { email: BOSS, password: 'a good password' });
    const { code, stdout, stderr } = await users('disable', BOSS.toUpperCase());
    expect(stderr.toLowerCase()).toBe(REFUSAL.toLowerCase());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(await stored()).toContain(`${BOSS} admin enabled`);
    expect(await statusOf(url, token)).toBe(200);
  });

  test('happens with --force', async () => {
    await addAdmins(BOSS);
    expect(await users('disable', BOSS, '--force')).toMatchObject({ code: 0, stdout: `disabled ${BOSS}\n` });
    expect(await stored()).toEqual([`${BOSS} admin disabled`]);
  });

  test('is about who is left: another administrator, disabled or not, and users who are none', async () => {
    await addAdmins(BOSS, 'other@example.org');
    await addAlice();
    expect((await users('disable', ALICE.email)).code).toBe(0);
    expect((await users('disable', 'other@example.org')).code).toBe(0);
    expect(await users('disable', BOSS)).toMatchObject({ code: 1, stderr: REFUSAL });
    expect((await users('disable', 'other@example.org')).code).toBe(0);
  });

  test('is no obstacle where nobody administers already', async () => {
    await addAlice();
    expect((await users('disable', ALICE.email)).code).toBe(0);
  });
});

describe('users set-password', () => {
  test('the old password and the sessions that it opened are refused at once; tokens stay', async () => {
    await addAlice();
    const { url } = await serveDatabase(database);
    const session = await logInTo(url, ALICE);
    const { plaintext } = await answered(createAccessToken({ client: session.client, body: { name: 'bot' } }));

    const { code, stdout } = await usersReading('a new password\n', 'set-password', ALICE.email);
    expect(stdout).toBe(`set the password of ${ALICE.email}\n`);
    expect(code).toBe(0);
    expect(await statusOf(url, session.token)).toBe(401);
    expect(await statusOf(url, plaintext)).toBe(200);
    await expect(logInTo(url, ALICE)).rejects.toThrow('Wrong e-mail or password.');
    await logInTo(url, { ...ALICE, password: 'a new password' });
  });

  test('--revoke-tokens ends the tokens too', async () => {
    await addAlice();
    const { url } = await serveDatabase(database);
    const { client } = await logInTo(url, ALICE);
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'bot' } }));
    await usersReading('a new password\n', 'set-password', ALICE.email, '--revoke-tokens');
    expect(await statusOf(url, plaintext)).toBe(401);
  });

  test('a generated password is printed once and opens a session', async () => {
    await addAlice();
    const { code, stdout } = await users('set-password', ALICE.email);
    const [, password = ''] = /^password: ([0-9A-Za-z]{24}) \(shown only once\)$/m.exec(stdout) ?? [];
    expect(stdout).toBe(`set the password of ${ALICE.email}\npassword: ${password} (shown only once)\n`);
    expect(code).toBe(0);
    const { url } = await serveDatabase(database);
    await logInTo(url, { ...ALICE, password });
    await expect(logInTo(url, ALICE)).rejects.toThrow('Wrong e-mail or password.');
  });

  test('a password that is too short ends with code 2, and the old one stays', async () => {
    await addAlice();
    const { code, stdout, stderr } = await usersReading('short\n', 'set-password', ALICE.email);
    expect(stderr).toBe('latchkey: a password must have 8 to 1024 characters\n');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    const { url } = await serveDatabase(database);
    await logInTo(url, ALICE);
  });
});

test.each(['disable', 'enable', 'set-password'])('users %s of nobody ends with code 2 and says so', async (command) => {
  await addAlice();
  const { code, stdout, stderr } = await users(command, 'nobody@example.org');
  expect(stderr).toBe('latchkey: there is no user nobody@example.org\n');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(await stored()).toEqual([`${ALICE.email} user enabled`]);
});

test.each([
  [['add'], "missing required argument 'email|name'"],
  [['add', 'a@example.org', 'b@example.org'], 'too many arguments'],
  [['add', 'a@example.org', '--password', 'secret123'], "unknown option '--password'"],
  [['remove', 'a@example.org'], 'latchkey: users cannot be removed, because their tokens stay on record'],
  [['rm', 'a@example.org'], '"latchkey users disable a@example.org" rejects their password and tokens'],
  [['remuv', 'a@example.org'], "unknown command 'remuv'"],
])('users %j ends with code 2 and says what is wrong', async (args, message) => {
  const { code, stdout, stderr } = await latchkey(['users', ...args], { env: { LATCHKEY_DATABASE: database } });
  expect(stderr).toContain(message);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(await stored()).toEqual([]);
});

describe.skipIf(isOnPostgres)('of a file', () => {
  test.each([['list'], ['disable', ALICE.email], ['enable', ALICE.email], ['set-password', ALICE.email]])(
    'users %s where there is no database ends with code 2 and makes none',
    async (...command) => {
      const { code, stdout, stderr } = await users(...command);
      expect(stderr).toBe(`latchkey: there is no database ${database}\n`);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(existsSync(database)).toBe(false);
    },
  );

  test('users add of a database that cannot be made ends with code 1 and the reason', async () => {
    const path = join(database, 'missing', 'latchkey.db');
    const { code, stdout, stderr } = await latchkey(['users', 'add', ALICE.email, '--database', path]);
    expect(stderr).toMatch(/^latchkey: cannot open database .*: there is no folder .*\n$/);
    expect(code).toBe(1);
    expect(stdout).toBe('');
  });

  test('users of a database in memory, which would end with the command, end with code 2', async () => {
    const { code, stdout, stderr } = await latchkey(['users', 'add', ALICE.email, '--database', ':memory:']);
    expect(stderr).toBe('latchkey: users are managed in a lasting database, and not in one in memory\n');
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});

async function statusOf(url: string, token: string): Promise<number | undefined> {
  return (await getMe({ client: clientOf(url, token) })).response.status;
}

describe('users add --service', () => {
  test('adds a service with its managers, and says its id', async () => {
    await addAlice();
    const args = ['--service', '--manager', ALICE.email, '--scope', 'deployments:write'];
    const { code, stdout, stderr } = await users('add', 'deploy jobs', ...args);
    expect(stdout).toBe('added service deploy jobs with the id 2\n');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await stored()).toEqual([`${ALICE.email} user enabled`, 'deploy jobs user enabled']);
    const { url } = await serveDatabase(database);
    const { client: alice } = await logInTo(url, ALICE);
    const query = { owner: 2 };
    const made = createAccessToken({ client: alice, query, body: { name: 'job', scopes: ['deployments:write'] } });
    expect((await answered(made)).token.scopes).toEqual(['deployments:write']);
    const above = createAccessToken({ client: alice, query, body: { name: 'b', scopes: ['a:b'] } });
    expect((await above).response.status).toBe(409);
  });

  test.each([
    [['deploy', '--service', '--admin'], 'a service has no password'],
    [['deploy', '--service', '--name', 'Deploy'], 'a service has no password'],
    [['deploy', '--service', '--manager', 'nobody@example.org'], 'there is no user nobody@example.org'],
    [['deploy', '--service', '--scope', 'tokens:other'], 'tokens:other is no scope that a token can have'],
    [[ALICE.email, '--manager', 'bob@example.org'], '--manager and --scope need --service'],
  ])('%j is refused', async (args, message) => {
    await addAlice();
    const { code, stderr } = await users('add', ...args);
    expect(stderr).toContain(`latchkey: ${message}`);
    expect(code).toBe(2);
  });
});

describe('users offboard', () => {
  test('tells what would happen, and gives the tokens to a service', async () => {
    await addAlice();
    const { url } = await serveDatabase(database);
    const { client: alice } = await logInTo(url, ALICE);
    const { plaintext } = await answered(createAccessToken({ client: alice, body: { name: 'job' } }));
    await users('add', 'jobs', '--service', '--manager', ALICE.email);
    const args = ['offboard', ALICE.email, '--to', 'jobs'];
    const unasked = await users(...args);
    expect(unasked.stderr).toBe('latchkey: this disables the user: use --yes, or --dry-run to see what would happen\n');
    expect(unasked.code).toBe(2);
    const told = '1 session ended, 1 token moved, 1 service without a manager';
    expect((await users(...args, '--dry-run')).stdout).toBe(`would offboard ${ALICE.email}: ${told}\n`);
    expect(await stored()).toEqual([`${ALICE.email} user enabled`, 'jobs user enabled']);
    const { code, stdout } = await users(...args, '--yes', '--json');
    expect(JSON.parse(stdout)).toEqual({
      sessionCount: 1,
      revokedCount: 0,
      transferredCount: 1,
      cutCount: 0,
      unmanagedCount: 1,
      dryRun: false,
    });
    expect(code).toBe(0);
    expect(await stored()).toEqual([`${ALICE.email} user disabled`, 'jobs user enabled']);
    expect((await answered(getMe({ client: clientOf(url, plaintext) }))).user.id).toBe(2);
    expect((await users('offboard', 'jobs', '--revoke', '--yes')).stdout).toBe(
      'offboarded jobs: 0 sessions ended, 1 token revoked\n',
    );
    expect((await getMe({ client: clientOf(url, plaintext) })).response.status).toBe(401);
  });

  test('not of the last administrator, unless that is forced, and not without a way for the tokens', async () => {
    const store = await openUsers(database, { create: true });
    await store.add({ ...ALICE, fullName: '', isAdmin: true });
    await store.close();
    const refused = await users('offboard', ALICE.email, '--revoke', '--yes');
    expect(refused.stderr).toBe(
      `latchkey: ${ALICE.email} is the last enabled administrator: use --force to offboard them anyway\n`,
    );
    expect(refused.code).toBe(1);
    for (const args of [[], ['--revoke', '--to', ALICE.email]]) {
      const wrong = await users('offboard', ALICE.email, '--yes', ...args);
      expect(wrong).toEqual({ code: 2, stdout: '', stderr: 'latchkey: use either --revoke or --to\n' });
    }
    const nobody = await users('offboard', 'nobody', '--revoke', '--yes');
    expect(nobody).toEqual({ code: 2, stdout: '', stderr: 'latchkey: there is no user nobody\n' });
    const itself = await users('offboard', ALICE.email, '--to', ALICE.email, '--yes', '--force');
    expect(itself.stderr).toBe('latchkey: The tokens cannot stay with the user who leaves\n');
    expect((await users('offboard', ALICE.email, '--revoke', '--yes', '--force')).code).toBe(0);
    expect(await stored()).toEqual([`${ALICE.email} admin disabled`]);
  });
});
