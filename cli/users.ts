import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Users } from '../server/index.js';
import { collect } from './account/flags.js';
import { Rejected, WrongUse } from './failure.js';
import { addOffboard } from './offboard.js';
import { printOnce, requireOutput } from './output/print.js';
import type { Column } from './output/table.js';
import { checkedEmail, type DatabaseFlag, databaseCommand, say, server, withUsers } from './user-store.js';

const NAMED = '\nA user is named by e-mail, a service by its name, and both, and an external owner, by the id.';

interface PasswordFlags {
  passwordStdin?: boolean;
}

export function addUsers(program: Command): void {
  const users = program
    .command('users')
    .description('Manage users directly in the database. A running service applies the changes at once.');

  databaseCommand(
    users,
    'add <email|name>',
    'Add a user. Without --password-stdin, a generated password is printed once. With --service, add a service by its name.',
  )
    .option('--name <name>', 'full name')
    .option('--admin', 'make the user an administrator')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option('--service', 'add a service, which has no password, and whose tokens outlive the person who created them')
    .option('--manager <user>', 'a person who manages the service, by e-mail or id; may be repeated', collect)
    .option('--scope <scope>', 'a scope that tokens of the service can have (all); may be repeated', collect)
    .action(
      async (
        email: string,
        flags: DatabaseFlag & PasswordFlags & ServiceFlags & { name?: string; admin?: boolean },
      ): Promise<void> => {
        if (flags.service === true) {
          await addService(email, flags);
          return;
        }
        if (flags.manager !== undefined || flags.scope !== undefined) {
          throw new WrongUse('--manager and --scope need --service');
        }
        const { password, generated } = await choosePassword(flags);
        if (generated) requireOutput();
        const user = {
          email: await checkedEmail(email),
          fullName: flags.name ?? '',
          isAdmin: flags.admin === true,
          password,
        };
        await withUsers(flags, (store) => store.add(user), { create: true });
        await sayWithPassword(`added ${email}`, email, password, generated);
      },
    );

  databaseCommand(users, 'list', 'List all users, and all services.')
    .alias('ls')
    .option('--json', 'print JSON, for programs')
    .action(async (flags: DatabaseFlag & { json?: boolean }) => {
      await withUsers(flags, async (store) => {
        const all = await store.list();
        say(await (flags.json === true ? jsonOf(all) : tableOf(all)));
      });
    });

  databaseCommand(
    users,
    'disable <user>',
    'End all sessions of a user and reject their tokens until the user is enabled.',
  )
    .addHelpText('after', NAMED)
    .option('--force', 'disable the last administrator too')
    .action(async (user: string, flags: DatabaseFlag & { force?: boolean }) => {
      await withUsers(flags, (store) => disable(store, user, flags.force === true));
      say(`disabled ${user}`);
    });

  databaseCommand(users, 'enable <user>', 'Let a disabled user log in again. Their tokens become valid again.')
    .addHelpText('after', NAMED)
    .action(async (user: string, flags: DatabaseFlag) => {
      await withUsers(flags, (store) => enable(store, user));
      say(`enabled ${user}`);
    });

  databaseCommand(users, 'set-password <email>', 'Set a new password and end all sessions of the user.')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option('--revoke-tokens', 'revoke the personal access tokens too')
    .action(async (email: string, flags: DatabaseFlag & PasswordFlags & { revokeTokens?: boolean }) => {
      const { password, generated } = await choosePassword(flags);
      if (generated) requireOutput();
      const revokeTokens = flags.revokeTokens === true;
      await withUsers(flags, async (store) => store.setPassword(await checkedEmail(email), password, { revokeTokens }));
      await sayWithPassword(`set the password of ${email}`, email, password, generated);
    });

  addOffboard(users);

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

interface ServiceFlags {
  service?: boolean;
  manager?: string[];
  scope?: string[];
}

async function addService(
  name: string,
  flags: DatabaseFlag & PasswordFlags & ServiceFlags & { name?: string; admin?: boolean },
): Promise<void> {
  if (flags.admin === true || flags.passwordStdin === true || flags.name !== undefined) {
    throw new WrongUse('a service has no password, no rights of an administrator and no other name');
  }
  await withUsers(flags, async (store) => {
    const id = await store.addService({ name, managers: flags.manager ?? [], scopes: flags.scope ?? null });
    say(`added service ${name} with the id ${String(id)}`);
  });
}

async function disable(store: Users, user: string, force: boolean): Promise<void> {
  try {
    await store.disable(user, { force });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'last_admin')) throw error;
    throw new Rejected(`${user} is the last enabled administrator: use --force to disable them anyway`);
  }
}

async function enable(store: Users, user: string): Promise<void> {
  try {
    await store.enable(user);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'offboarding_under_way')) throw error;
    throw new Rejected(error.message.replace(/\.$/, ''));
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

async function choosePassword({ passwordStdin }: PasswordFlags): Promise<{ password: string; generated: boolean }> {
  if (passwordStdin !== true) return { password: (await server()).generatePassword(), generated: true };
  const [line = ''] = (await text(process.stdin)).split(/\r?\n/, 1);
  return { password: line, generated: false };
}

type User = Awaited<ReturnType<Users['list']>>[number];

const COLUMNS: readonly Column<User>[] = [
  { title: 'ID', text: ({ id }) => String(id) },
  { title: 'EMAIL', text: ({ email }) => email || '-' },
  { title: 'NAME', text: ({ fullName }) => fullName || '-' },
  { title: 'ROLE', text: ({ kind, isAdmin }) => (kind === 'service' ? kind : isAdmin ? 'admin' : 'user') },
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
    users.map(({ id, kind, email, fullName, isAdmin, disabledAt, createdAt }) => ({
      id,
      kind,
      email: email || null,
      fullName,
      isAdmin,
      disabled: disabledAt !== null,
      createdAt: new Date(createdAt).toISOString(),
    })),
  );
}
