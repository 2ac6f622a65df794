import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Users } from '../server/index.js';
import { Rejected, WrongUse } from './failure.js';
import { printOnce, requireOutput } from './output/print.js';
import type { Column } from './output/table.js';
import { readSettings } from './settings.js';

interface PasswordFlags {
  passwordStdin?: boolean;
}

export function addUsers(program: Command): void {
  const users = program
    .command('users')
    .description('Manage users directly in the database. A running service applies the changes at once.');

  command(users, 'add <email>', 'Add a user. Without --password-stdin, a generated password is printed once.')
    .option('--name <name>', 'full name')
    .option('--admin', 'make the user an administrator')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .action(
      async (
        email: string,
        flags: DatabaseFlag & PasswordFlags & { name?: string; admin?: boolean },
      ): Promise<void> => {
        const { password, generated } = await choosePassword(flags);
        if (generated) requireOutput();
        const user = {
          email: await checked(email),
          fullName: flags.name ?? '',
          isAdmin: flags.admin === true,
          password,
        };
        await withUsers(flags, (store) => store.add(user), { create: true });
        await sayWithPassword(`added ${email}`, email, password, generated);
      },
    );

  command(users, 'list', 'List all users.')
    .alias('ls')
    .option('--json', 'print JSON, for programs')
    .action(async (flags: DatabaseFlag & { json?: boolean }) => {
      await withUsers(flags, async (store) => {
        const all = await store.list();
        say(await (flags.json === true ? jsonOf(all) : tableOf(all)));
      });
    });

  command(users, 'disable <email>', 'End all sessions of a user and reject their tokens until the user is enabled.')
    .option('--force', 'disable the last administrator too')
    .action(async (email: string, flags: DatabaseFlag & { force?: boolean }) => {
      await withUsers(flags, (store) => disable(store, email, flags.force === true));
      say(`disabled ${email}`);
    });

  command(users, 'enable <email>', 'Let a disabled user log in again. Their tokens become valid again.').action(
    async (email: string, flags: DatabaseFlag) => {
      await withUsers(flags, async (store) => store.enable(await checked(email)));
      say(`enabled ${email}`);
    },
  );

  command(users, 'set-password <email>', 'Set a new password and end all sessions of the user.')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option('--revoke-tokens', 'revoke the personal access tokens too')
    .action(async (email: string, flags: DatabaseFlag & PasswordFlags & { revokeTokens?: boolean }) => {
      const { password, generated } = await choosePassword(flags);
      if (generated) requireOutput();
      const revokeTokens = flags.revokeTokens === true;
      await withUsers(flags, async (store) => store.setPassword(await checked(email), password, { revokeTokens }));
      await sayWithPassword(`set the password of ${email}`, email, password, generated);
    });

  users
    .command('remove', { hidden: true })
    .alias('rm')
    .argument('<email>')
    .action((email: string) => {
      throw new WrongUse(
        `users cannot be removed, because their tokens stay on record: "latchkey users disable ${email}" rejects their password and tokens`,
      );
    });
}

async function disable(store: Users, email: string, force: boolean): Promise<void> {
  const user = await checked(email);
  try {
    await store.disable(user, { force });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'last_admin')) throw error;
    throw new Rejected(`${email} is the last enabled administrator: use --force to disable them anyway`);
  }
}

/** Prints what was done, and the generated password, which is shown only here. */
async function sayWithPassword(done: string, email: string, password: string, generated: boolean): Promise<void> {
  if (!generated) {
    say(done);
    return;
  }
  const lost = `${done}, but the password was not shown; to set another: latchkey users set-password ${email}`;
  await printOnce(`${done}\npassword: ${password} (shown only once)`, lost);
}

interface DatabaseFlag {
  database?: string;
}

function command(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--database <database>', 'file, or URL of PostgreSQL (LATCHKEY_DATABASE, latchkey.db)');
}

async function withUsers(
  flags: DatabaseFlag,
  work: (users: Users) => Promise<void>,
  options: { create?: boolean } = {},
): Promise<void> {
  const { openUsers } = await server();
  const settings = await readSettings({ database: flags.database });
  const users = await openUsers(settings.database, { ...settings, ...options });
  try {
    await work(users);
  } finally {
    await users.close();
  }
}

const server = () => import('../server/index.js');

async function checked(email: string): Promise<string> {
  const { isEmail } = await server();
  if (!isEmail(email)) throw new WrongUse('EMAIL must be an e-mail address of at most 254 characters');
  return email;
}

async function choosePassword({ passwordStdin }: PasswordFlags): Promise<{ password: string; generated: boolean }> {
  if (passwordStdin !== true) return { password: (await server()).generatePassword(), generated: true };
  const [line = ''] = (await text(process.stdin)).split(/\r?\n/, 1);
  return { password: line, generated: false };
}

type User = Awaited<ReturnType<Users['list']>>[number];

const COLUMNS: readonly Column<User>[] = [
  { title: 'EMAIL', text: ({ email }) => email },
  { title: 'NAME', text: ({ fullName }) => fullName || '-' },
  { title: 'ROLE', text: ({ isAdmin }) => (isAdmin ? 'admin' : 'user') },
  { title: 'STATE', text: ({ disabledAt }) => (disabledAt === null ? 'enabled' : 'disabled') },
  { title: 'CREATED', text: ({ createdAt }) => new Date(createdAt).toISOString() },
];

/** Formats users as an aligned table, without colours and uncut, on a terminal and elsewhere. */
async function tableOf(users: readonly User[]): Promise<string> {
  const { table } = await import('./output/table.js');
  return table(COLUMNS, users, { forPeople: true, width: Number.POSITIVE_INFINITY, paint: (_, text) => text });
}

/** Formats users as the service's API does. */
async function jsonOf(users: readonly User[]): Promise<string> {
  const { toJson } = await import('./output/text.js');
  return toJson(
    users.map(({ id, email, fullName, isAdmin, disabledAt, createdAt }) => ({
      id,
      email,
      fullName,
      isAdmin,
      disabled: disabledAt !== null,
      createdAt: new Date(createdAt).toISOString(),
    })),
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
