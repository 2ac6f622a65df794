import { sql } from 'kysely';
import { isPostgresUrl } from '../../config/postgres-url.js';
import { nextTurn } from '../../timers.js';
import type { OpenOptions } from '../database.js';
import { batchesOf, countOf } from '../rows.js';
import { openSqliteSource, openSqliteTarget } from '../sqlite/copy-ends.js';
import { TABLES, type TableName, tableNames } from '../tables.js';
import { UnusableDatabase } from '../unusable.js';
import { createContentDigest, type DatabaseContent, type TableContent } from './digest.js';
import type { CopySource, CopyTarget } from './ends.js';

export interface CopyProgress {
  phase: 'copying' | 'comparing';
  table: string;
  /** Rows that were copied or compared, of `total`. */
  done: number;
  total: number;
}

export interface CopyOptions {
  onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Ends the copy between two of its steps. */
  signal?: AbortSignal | undefined;
}

/** One of the two databases: its path or URL, and how it is opened. */
export interface CopyEnd extends OpenOptions {
  database: string;
}

/**
 * Copies all rows of one database to another, of either engine, with their ids and the highest ids that were ever given.
 * The source is read as one snapshot, which a service may change meanwhile. The target gets its schema if it has none. All
 * rows are written in one transaction. Before its commit, the rows of both are compared by their number and a digest.
 *
 * Rejects with `UnusableDatabase`, and leaves the target without rows:
 * - if the source lacks a migration, belongs to a newer version or another program, or cannot be read;
 * - if the target has rows, cannot be written, or is in use by another process;
 * - if the target did not take a row, or the rows of both are not the same.
 *
 * Rejects with the reason of `signal` once that is aborted.
 */
export async function copyDatabase(from: CopyEnd, to: CopyEnd, options: CopyOptions = {}): Promise<DatabaseContent> {
  const source = await openSource(from);
  try {
    const target = await openTarget(to);
    try {
      return await copy(source, target, options);
    } catch (error) {
      const isAborted = options.signal?.aborted === true && error === options.signal.reason;
      if (error instanceof UnusableDatabase || isAborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new UnusableDatabase(`${source.shown} was not copied to ${target.shown}, which has no rows: ${reason}`);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function openSource(end: CopyEnd): Promise<CopySource> {
  if (!isPostgresUrl(end.database)) return openSqliteSource(end.database);
  const { openPostgresSource } = await import('../postgres/copy-ends.js');
  return await openPostgresSource(end.database, end);
}

async function openTarget(end: CopyEnd): Promise<CopyTarget> {
  if (!isPostgresUrl(end.database)) return await openSqliteTarget(end.database, end);
  const { openPostgresTarget } = await import('../postgres/copy-ends.js');
  return await openPostgresTarget(end.database, end);
}

async function copy(source: CopySource, target: CopyTarget, options: CopyOptions): Promise<DatabaseContent> {
  await clearTarget(target);
  const highest = new Map<TableName, number>();
  for (const name of tableNames) if (TABLES[name].givesIds) highest.set(name, await source.highestIdOf(name));

  const steps = await createSteps(source, options);
  const written: DatabaseContent = {};
  for (const name of tableNames) written[name] = await copyTable(source, target, name, steps);
  for (const [name, id] of highest) {
    // On PostgreSQL a row may have an id that the database did not give.
    const [[newest] = []] = await target.run(sql`select coalesce(max(id), 0) from ${sql.table(name)}`);
    await target.keepHighestId(name, Math.max(id, Number(newest)));
  }
  for (const name of tableNames) {
    const { rows, digest } = await digestOf(target, name, steps);
    if (rows !== written[name]?.rows || digest !== written[name].digest) {
      throw new UnusableDatabase(
        `the rows of ${name} in ${target.shown} differ from those of ${source.shown}; no row was kept`,
      );
    }
  }
  await target.commit();
  return written;
}

/** Deletes the rows that migrations inserted into the target. Throws `UnusableDatabase` if the target has other rows. */
async function clearTarget(target: CopyTarget): Promise<void> {
  for (const name of tableNames) {
    if (TABLES[name].hasRowsAtFirst) continue;
    const rows = await target.run(sql`select 1 from ${sql.table(name)} limit 1`);
    if (rows.length > 0) throw new UnusableDatabase(`database ${target.shown} is not empty: it has rows of ${name}`);
  }
  for (const name of tableNames.toReversed()) {
    if (TABLES[name].hasRowsAtFirst) await target.run(sql`delete from ${sql.table(name)}`);
  }
}

/** Called with the number of rows that were copied or compared since the last call. Throws if the copy was aborted. */
type Step = (phase: CopyProgress['phase'], table: TableName, rows: number) => Promise<void>;

async function createSteps(source: CopySource, { onProgress, signal }: CopyOptions): Promise<Step> {
  let total = 0;
  for (const name of tableNames) total += await countOf(source, name);
  const done = { copying: 0, comparing: 0 };
  return async (phase, table, rows) => {
    done[phase] += rows;
    onProgress?.({ phase, table, done: done[phase], total });
    // SQLite never waits for the event loop. Without a turn of it, the process would get no signal.
    await nextTurn();
    signal?.throwIfAborted();
  };
}

async function copyTable(source: CopySource, target: CopyTarget, name: TableName, step: Step): Promise<TableContent> {
  const digest = createContentDigest(name);
  for await (const rows of batchesOf(source, name)) {
    digest.add(rows);
    await target.insert(name, rows);
    await step('copying', name, rows.length);
  }
  return digest.content();
}

async function digestOf(source: CopySource, name: TableName, step: Step): Promise<TableContent> {
  const digest = createContentDigest(name);
  for await (const rows of batchesOf(source, name)) {
    digest.add(rows);
    await step('comparing', name, rows.length);
  }
  return digest.content();
}
