import type { Kysely } from 'kysely';
import type { Report } from './progress.js';

/** A change of the schema. One that may take long tells `report` how far it is. */
export interface Migration {
  up(db: Kysely<unknown>, report: Report): Promise<void>;
}

/** A change of the schema, for each engine. Most are the same text for both, and some need each engine's own words. */
export interface SharedMigration {
  sqlite: Migration;
  postgres: Migration;
}

/**
 * The changes since PostgreSQL can be the engine, by names in their order. A migration that was released is never edited,
 * only followed by another. Each only adds, and a later version takes away: the processes of two neighbouring versions
 * work on one database while they are replaced one by one.
 */
export const sharedMigrations: Record<string, SharedMigration> = {};

/** `own` and what is shared since, as `engine` runs it. */
export function migrationsFor(
  engine: keyof SharedMigration,
  own: Record<string, Migration>,
): Record<string, Migration> {
  const shared = Object.entries(sharedMigrations).map(([name, migration]) => [name, migration[engine]] as const);
  return { ...own, ...Object.fromEntries(shared) };
}
