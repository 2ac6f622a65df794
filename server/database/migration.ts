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
