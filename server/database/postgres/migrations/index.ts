import type { Migration } from '../../migration.js';
import { migrationsFor } from '../../migrations.js';
import * as baseline from './0006-baseline.js';

/** All migrations in their order. The first one creates the schema that SQLite's first six migrations lead to. */
export const migrations: Record<string, Migration> = migrationsFor('postgres', { '0006-baseline': baseline });
