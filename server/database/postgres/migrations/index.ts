import type { Migration } from 'kysely';
import { migrationsFor } from '../../migrations.js';
import * as baseline from './0005-baseline.js';

/** The schema that SQLite came to by its first five migrations, and what both engines do since. */
export const migrations: Record<string, Migration> = migrationsFor('postgres', { '0005-baseline': baseline });
