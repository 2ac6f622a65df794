import type SqliteDriver from 'better-sqlite3';
import { type Migrations, toMigrations } from '../../migration.js';
import { migrations } from './index.js';

export function migrationsOf(connection: SqliteDriver.Database): Migrations {
  const exists = connection.prepare("select 1 from sqlite_schema where name = 'kysely_migration'").get() !== undefined;
  const applied = exists
    ? (connection.prepare('select name from kysely_migration order by name').pluck().all() as string[])
    : [];
  return toMigrations(applied, migrations);
}
