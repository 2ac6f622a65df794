import type { Migration, SharedMigration } from './migration.js';
import { loginAttempts } from './migrations/0007-login-attempts.js';
import { events } from './migrations/0008-events.js';
import { leaks } from './migrations/0009-leaks.js';
import { notices } from './migrations/0010-notices.js';
import { webhooks } from './migrations/0011-webhooks.js';
import { offboardings } from './migrations/0012-offboardings.js';
import { owners } from './migrations/0013-owners.js';
import { services } from './migrations/0014-services.js';
import { cheaperChanges } from './migrations/0015-cheaper-changes.js';
import { fasterOffboarding } from './migrations/0016-faster-offboarding.js';

/**
 * The migrations that both engines have, by names in their order. Never edit a released migration; add another one. A
 * migration only adds, because processes of the version before may use the database at the same time. A later version may
 * remove what no version in use needs any more.
 */
export const sharedMigrations: Record<string, SharedMigration> = {
  '0007-login-attempts': loginAttempts,
  '0008-events': events,
  '0009-leaks': leaks,
  '0010-notices': notices,
  '0011-webhooks': webhooks,
  '0012-offboardings': offboardings,
  '0013-owners': owners,
  '0014-services': services,
  '0015-cheaper-changes': cheaperChanges,
  '0016-faster-offboarding': fasterOffboarding,
};

/** All migrations of `engine`: first `own`, the engine's own ones, then the shared ones. */
export function migrationsFor(
  engine: keyof SharedMigration,
  own: Record<string, Migration>,
): Record<string, Migration> {
  const shared = Object.entries(sharedMigrations).map(([name, migration]) => [name, migration[engine]] as const);
  return { ...own, ...Object.fromEntries(shared) };
}
