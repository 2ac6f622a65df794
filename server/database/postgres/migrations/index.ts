import type { Migration } from '../../migration.js';
import { migrationsFor } from '../../migrations.js';
import * as baseline from './0006-baseline.js';

/** The schema that SQLite came to by its first six migrations, and what both engines do since. */
export const migrations: Record<string, Migration> = migrationsFor('postgres', { '0006-baseline': baseline });
