import { existsSync, realpathSync } from 'node:fs';
import type { Command } from 'commander';
import { isPostgresUrl, parsePostgresUrl } from '../server/config/postgres-url.js';
import type { Config, CopyProgress, DatabaseContent } from '../server/index.js';
import { Interrupted, WrongUse } from './failure.js';
import { print } from './output/print.js';
import { showProgress } from './progress.js';
import { readSettings } from './settings.js';

interface CopyFlags {
  from: string;
  to: string;
  json?: boolean;
}

export function addCopy(program: Command): void {
  program
    .command('copy')
    .description('Copy all data to a new database of either engine: SQLite or PostgreSQL.')
    .requiredOption('--from <database>', 'the file or PostgreSQL URL to copy; it is not changed')
    .requiredOption('--to <database>', 'a new file, or the PostgreSQL URL of an empty database')
    .option('--json', 'print JSON, for programs')
    .addHelpText(
      'after',
      `
Stop the service first: the copy lacks everything that it writes after the copy has begun.
For a URL without a password, LATCHKEY_DATABASE_PASSWORD_FILE names the file with the password.
LATCHKEY_DATABASE_SCHEMA names the schema.
The key of webhooks' secrets is not copied: give the new service its file, by LATCHKEY_SECRET_KEY_FILE.
If a copy fails or is interrupted, the new database has no rows.`,
    )
    .action(copy);
}

async function copy({ from, to, json }: CopyFlags): Promise<void> {
  const settings = await readSettings({});
  const names = { from: nameOf('--from', from), to: nameOf('--to', to) };
  if (!isPostgresUrl(from) && !existsSync(from)) throw new WrongUse(`there is no database ${from}`);
  if (isSame(from, to)) throw new WrongUse(`--from and --to are the same database`);

  const { copyDatabase } = await import('../server/index.js');
  const progress = showProgress(describe, { afterMs: 500 });
  const stop = new AbortController();
  const onInterrupt = () => {
    stop.abort();
  };
  process.once('SIGINT', onInterrupt);
  const start = performance.now();
  try {
    const content = await copyDatabase(endOf(from, settings), endOf(to, settings), {
      onProgress: progress.show,
      signal: stop.signal,
    });
    progress.clear();
    const seconds = (performance.now() - start) / 1e3;
    print(json === true ? await jsonOf(names, content) : summaryOf(names, content, seconds));
  } catch (error) {
    progress.clear();
    if (stop.signal.aborted && error === stop.signal.reason)
      throw new Interrupted(`interrupted: ${names.to} has no rows`);
    throw error;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** A path, or a URL without its password. */
function nameOf(flag: string, database: string): string {
  if (database === ':memory:') throw new WrongUse(`${flag} must be a lasting database, and not one in memory`);
  if (!isPostgresUrl(database)) {
    if (database === '' || database.includes('\0')) throw new WrongUse(`${flag} must be a file's path or a URL`);
    return database;
  }
  const url = parsePostgresUrl(database);
  // The message leaves out the URL, because it may contain a password.
  if (url === undefined) {
    throw new WrongUse(
      `${flag} must be a file's path, or a URL postgres://user@host:5432/name?sslmode=verify-full, whose sslmode is disable, require, verify-ca or verify-full`,
    );
  }
  return url.shown;
}

function isSame(from: string, to: string): boolean {
  if (from === to) return true;
  return !isPostgresUrl(from) && !isPostgresUrl(to) && existsSync(to) && realpathSync(from) === realpathSync(to);
}

/** A password in the URL takes precedence over the file, so that the two URLs can have different passwords. */
function endOf(database: string, { databasePasswordFile, databaseSchema }: Config) {
  const hasPassword = parsePostgresUrl(database)?.password != null;
  return { database, passwordFile: hasPassword ? null : databasePasswordFile, schema: databaseSchema };
}

const BAR_WIDTH = 24;

function describe({ phase, table, done, total }: CopyProgress): string {
  const share = done / Math.max(total, 1);
  const bar = '='.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH);
  return `${phase} [${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${String(done)} of ${String(total)} rows  ${table}`;
}

interface Names {
  from: string;
  to: string;
}

function summaryOf({ from, to }: Names, content: DatabaseContent, seconds: number): string {
  const width = Math.max(...Object.keys(content).map((table) => table.length));
  return [
    `copied ${from} to ${to} in ${seconds.toFixed(1)} s; the rows of both are the same, by their number and a digest:`,
    ...Object.entries(content).map(([table, { rows }]) => `  ${table.padEnd(width)}  ${String(rows)}`),
  ].join('\n');
}

async function jsonOf(names: Names, tables: DatabaseContent): Promise<string> {
  const { toJson } = await import('./output/text.js');
  return toJson({ ...names, tables });
}
