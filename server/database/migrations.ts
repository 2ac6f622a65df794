import type { Migration, SharedMigration } from './migration.js';
import { loginAttempts } from './migrations/0007-login-attempts.js';

/**
 * The changes since PostgreSQL can be the engine, by names in their order. A migration that was released is never edited,
 * only followed by another. Each only adds, and a later version takes away: the processes of two neighbouring versions
 * work on one database while they are replaced one by one.
 */
export const sharedMigrations: Record<string, SharedMigration> = {
  '0007-login-attempts': loginAttempts,
};

/** `own` and what is shared since, as `engine` runs it. */
export function migrationsFor(
  engine: keyof SharedMigration,
  own: Record<string, Migration>,
): Record<string, Migration> {
  const shared = Object.entries(sharedMigrations).map(([name, migration]) => [name, migration[engine]] as const);
  return { ...own, ...Object.fromEntries(shared) };
}
