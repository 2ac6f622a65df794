import type SqliteDriver from 'better-sqlite3';
import { migrations } from './index.js';

export interface Migrations {
  /** Those that the database has, oldest first. */
  applied: string[];
  /** Those that the next start runs. */
  pending: string[];
  /** Those of a newer version of Latchkey. */
  unknown: string[];
}

export function migrationsOf(connection: SqliteDriver.Database): Migrations {
  const exists = connection.prepare("select 1 from sqlite_schema where name = 'kysely_migration'").get() !== undefined;
  const applied = exists
    ? (connection.prepare('select name from kysely_migration order by name').pluck().all() as string[])
    : [];
  return {
    applied,
    pending: Object.keys(migrations).filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !Object.hasOwn(migrations, name)),
  };
}
