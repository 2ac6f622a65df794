import type { Migration } from '../../migration.js';
import { migrationsFor } from '../../migrations.js';
import * as tokens from './0001-tokens.js';
import * as lifeCycle from './0002-life-cycle.js';
import * as scopesAndFinding from './0003-scopes-and-finding.js';
import * as smaller from './0004-smaller.js';
import * as foundByTime from './0005-found-by-time.js';
import * as dataModel from './0006-data-model.js';

/** All migrations in their order. Never edit a released migration; add another one. */
export const migrations: Record<string, Migration> = migrationsFor('sqlite', {
  '0001-tokens': tokens,
  '0002-life-cycle': lifeCycle,
  '0003-scopes-and-finding': scopesAndFinding,
  '0004-smaller': smaller,
  '0005-found-by-time': foundByTime,
  '0006-data-model': dataModel,
});
