import type { Command } from 'commander';
import type { Users } from '../server/index.js';
import { WrongUse } from './failure.js';
import { readSettings } from './settings.js';

// What the commands share that manage users directly in the database.

export interface DatabaseFlag {
  database?: string;
}

export function databaseCommand(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--database <database>', 'file, or URL of PostgreSQL (LATCHKEY_DATABASE, latchkey.db)');
}

export async function withUsers(
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

export const server = () => import('../server/index.js');

export async function checkedEmail(email: string): Promise<string> {
  const { isEmail } = await server();
  if (!isEmail(email)) throw new WrongUse('EMAIL must be an e-mail address of at most 254 characters');
  return email;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
