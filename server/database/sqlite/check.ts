import { existsSync, statSync } from 'node:fs';
import { brokenRules } from '../broken-rules.js';
import { type DatabaseReport, emptyReport } from '../report.js';
import { countOf } from '../rows.js';
import { assertBuilt, type Connection, connect } from './driver.js';
import { faultsIn, isCutShort, logSize } from './file.js';
import { migrationsOf } from './migrations/applied.js';
import { APPLICATION_ID, START_PATIENCE } from './open.js';
import { readerOver } from './reader.js';
import { missingFrom } from './shape.js';

const MOST_FAULTS_OF_A_KIND = 20;

/**
 * Reads the whole database at `path` and reports its content and its faults. The check changes nothing. A service may
 * use the database meanwhile, because the check reads one snapshot. Rejects with `UnusableDatabase` if the driver was
 * not built.
 */
export async function checkFile(path: string): Promise<DatabaseReport> {
  assertBuilt();
  const report = emptyReport();
  if (!existsSync(path)) return { ...report, faults: ['there is no such file'] };
  report.bytes = statSync(path).size + logSize(path);
  if (!statSync(path).isFile()) return { ...report, faults: ['it is not a file'] };
  try {
    const connection = connect(path, { readonly: true, timeout: START_PATIENCE });
    try {
      // The transaction makes all counts see one snapshot. Otherwise rows written between two counts would seem
      // orphaned.
      connection.exec('begin');
      await read(path, connection, report);
    } finally {
      connection.close();
    }
  } catch (error) {
    report.faults.push(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return report;
}

async function read(path: string, connection: Connection, report: DatabaseReport): Promise<void> {
  const { faults } = report;
  const applicationId = connection.pragma('application_id', { simple: true });
  // This check is the first, because the next steps read the schema, which may have been cut off.
  if (isCutShort(path, connection)) faults.push('it was cut short');
  const tables = tablesOf(connection);
  if (applicationId !== APPLICATION_ID) {
    faults.push(tables.length === 0 ? 'it is empty' : "it is an SQLite database, but not one of Latchkey's");
    return;
  }
  const verdicts = connection.pragma(`integrity_check(${String(MOST_FAULTS_OF_A_KIND)})`) as Record<string, string>[];
  faults.push(...faultsIn(verdicts.flatMap((verdict) => Object.values(verdict))));

  const { applied, pending, unknown } = migrationsOf(connection);
  report.schema = applied.at(-1) ?? null;
  report.pending = pending;
  if (unknown.length > 0) {
    faults.push(`it was written by a newer version of Latchkey (it has ${unknown.join(', ')}); upgrade Latchkey`);
  } else if (pending.length === 0) faults.push(...(await missingFrom(connection)));

  const reader = readerOver(connection);
  for (const table of tables) report.rows[table] = await countOf(reader, table);
  faults.push(...danglingReferences(connection));
  if (report.schema !== null) faults.push(...(await brokenRules(reader, report.schema)));
}

/** The names of all tables, except those of Kysely, SQLite and replication tools. */
function tablesOf(connection: Connection): string[] {
  const all = connection.prepare("select name from sqlite_schema where type = 'table' order by name").pluck().all();
  return (all as string[]).filter((name) => !/^(sqlite_|kysely_|_)|"/.test(name));
}

function danglingReferences(connection: Connection): string[] {
  // A row that refers to several missing rows of one table counts once. SQLite gives no row id for a table without row
  // ids, but a row of such a table refers to at most one row of each other table.
  const query = `select "table" as child, parent, count(distinct rowid) + sum(rowid is null) as rows
    from pragma_foreign_key_check group by 1, 2`;
  const found = connection.prepare(query).all() as { child: string; parent: string; rows: number }[];
  return found.map(
    ({ child, parent, rows }) => `rows of ${child} that refer to a missing row of ${parent}: ${String(rows)}`,
  );
}
