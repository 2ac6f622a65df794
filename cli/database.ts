import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { openOptions } from '../server/config/config.js';
import { isPostgresUrl, parsePostgresUrl } from '../server/config/postgres-url.js';
import type { DatabaseReport } from '../server/index.js';
import { WrongUse } from './failure.js';
import { readSettings } from './settings.js';

interface DatabaseFlag {
  database?: string;
}

export function addDatabase(program: Command): void {
  command(program, 'backup', 'Copy the database to a new file, while the service runs.')
    .argument('<file>', 'the new file; it must not exist')
    .action(async (file: string, flags: DatabaseFlag) => {
      const { backUpDatabase } = await server();
      const path = await pathOf(flags, { mustExist: true });
      const start = performance.now();
      say(`backed up ${path} to ${file}: ${contentOf(await backUpDatabase(path, file))} in ${since(start)}`);
    });

  command(program, 'restore', 'Replace the database by a backup, while the service is stopped.')
    .argument('<file>', 'the backup, which is not changed')
    .option('--force', 'replace an existing database, which is kept beside it under another name')
    .addHelpText('after', '\nTokens revoked after the backup are valid again, and tokens created after it are lost.')
    .action(async (file: string, flags: DatabaseFlag & { force?: boolean }) => {
      const { restoreDatabase } = await server();
      const path = await pathOf(flags, { mustExist: false });
      if (!existsSync(file)) throw new WrongUse(`there is no backup ${file}`);
      const start = performance.now();
      const { report, kept } = await restoreDatabase(file, path, { replace: flags.force === true });
      say(`restored ${path} from ${file}: ${contentOf(report)} in ${since(start)}`);
      if (kept !== null) say(`the replaced database is kept as ${kept}`);
    });

  addMigrate(program);

  const description = 'Check the whole database and list its faults, while the service runs.';
  command(program, 'check', description, ANY_DATABASE)
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', '\nExit codes: 0 no faults, 1 faults.')
    .action(async (flags: DatabaseFlag & { json?: boolean }) => {
      const { checkDatabase } = await server();
      const settings = await readSettings({ database: flags.database });
      const url = parsePostgresUrl(settings.database);
      const name = url?.shown ?? (await pathOf(flags, { mustExist: true }));
      const report = await checkDatabase(settings.database, openOptions(settings));
      say(flags.json === true ? await jsonOf(report) : describe(name, report));
      process.exitCode = report.faults.length === 0 ? 0 : 1;
    });
}

function addMigrate(program: Command): void {
  const description = 'Bring the schema of the database up to date; the service does so at its start.';
  command(program, 'migrate', description, ANY_DATABASE)
    .addHelpText('after', '\nWith LATCHKEY_MIGRATE=never only this command runs migrations.')
    .action(async (flags: DatabaseFlag) => {
      const { migrateDatabase } = await server();
      const settings = await readSettings({ database: flags.database });
      const { database } = settings;
      if (database === ':memory:') throw new WrongUse('this command needs a lasting database, and not one in memory');
      await migrateDatabase(settings);
      say(`${parsePostgresUrl(database)?.shown ?? database} is up to date`);
    });
}

function command(
  program: Command,
  name: string,
  description: string,
  database: readonly [string, string] = DATABASE_FILE,
): Command {
  return program
    .command(name)
    .description(description)
    .option(...database);
}

const DATABASE_FILE = ['--database <path>', 'database file (LATCHKEY_DATABASE, latchkey.db)'] as const;
const ANY_DATABASE = ['--database <database>', 'file, or URL of PostgreSQL (LATCHKEY_DATABASE, latchkey.db)'] as const;

const server = () => import('../server/index.js');

async function pathOf(flags: DatabaseFlag, { mustExist }: { mustExist: boolean }): Promise<string> {
  const { database } = await readSettings({ database: flags.database });
  if (isPostgresUrl(database)) {
    throw new WrongUse(
      'this command is for a database in a file; for PostgreSQL use pg_dump and pg_restore, or a base backup with WAL archiving',
    );
  }
  if (database === ':memory:') throw new WrongUse('this command needs a database in a file, not in memory');
  if (mustExist && !existsSync(database)) throw new WrongUse(`there is no database ${database}`);
  return database;
}

function contentOf({ rows, bytes }: DatabaseReport): string {
  const [users = 0, tokens = 0] = [rows['users'], rows['access_tokens']];
  return `${counted(users, 'user')}, ${counted(tokens, 'token')}, ${sizeOf(bytes)}`;
}

function describe(path: string, { schema, pending, bytes, rows, faults, warnings }: DatabaseReport): string {
  const width = Math.max(...Object.keys(rows).map((table) => table.length), 0);
  const verdict =
    faults.length === 0
      ? `${path} is whole: ${sizeOf(bytes)}, schema ${schema ?? 'none'}`
      : `${path} has ${counted(faults.length, 'fault')}:`;
  return [
    verdict,
    ...faults.map((fault) => `  ${fault}`),
    ...warnings.map((warning) => `  warning: ${warning}`),
    ...Object.entries(rows).map(([table, count]) => `  ${table.padEnd(width)}  ${String(count)}`),
    ...(pending.length > 0 ? [`the next start runs the pending migrations: ${pending.join(', ')}`] : []),
  ].join('\n');
}

async function jsonOf({ faults, ...report }: DatabaseReport): Promise<string> {
  const { toJson } = await import('./output/text.js');
  return toJson({ whole: faults.length === 0, faults, ...report });
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function since(start: number): string {
  return `${((performance.now() - start) / 1e3).toFixed(1)} s`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
