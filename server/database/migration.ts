import type { Kysely } from 'kysely';
import type { Report } from './progress.js';

/** A change of the schema. A change that may take long calls `report` with its progress. */
export interface Migration {
  up(db: Kysely<unknown>, report: Report): Promise<void>;
}

/** A change of the schema for both engines, which are the same migration if one SQL text suits both. */
export interface SharedMigration {
  sqlite: Migration;
  postgres: Migration;
}

/** The migrations of a database, by name. */
export interface Migrations {
  /** Those that the database has, oldest first. */
  applied: string[];
  /** Those that the next start runs. */
  pending: string[];
  /** Those of a newer version of Latchkey. */
  unknown: string[];
}

/** Compares what a database has with what this version knows. */
export function toMigrations(applied: string[], known: Readonly<Record<string, Migration>>): Migrations {
  return {
    applied,
    pending: Object.keys(known).filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !Object.hasOwn(known, name)),
  };
}
