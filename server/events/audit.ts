import { existsSync } from 'node:fs';
import { type Config, openOptions } from '../config/config.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import { isPostgresUrl } from '../config/postgres-url.js';
import { IN_MEMORY, openDatabase } from '../database/index.js';
import { readAuditKey } from './key.js';
import { type Anchor, type ChainReport, verifyChain } from './verify.js';

/**
 * Computes the chain of the events in `config.database` anew, beside a service that may be running, and returns its first fault.
 * `anchors` are places and hashes that were noted before; `keyedFrom` is the place of the first event that was linked with the key.
 *
 * Rejects with `InvalidArgument` for a missing file, a database in memory, an unusable key file and a `keyedFrom` without a key, and with `DatabaseRefusal` if
 * the database cannot be used or its schema is not up to date.
 */
export async function verifyAuditLog(
  config: Readonly<Config>,
  anchors: readonly Anchor[] = [],
  keyedFrom?: number,
): Promise<ChainReport> {
  const { database } = config;
  if (database === IN_MEMORY) throw new InvalidArgument('this needs a lasting database, and not one in memory');
  if (!isPostgresUrl(database) && !existsSync(database)) throw new InvalidArgument(`there is no database ${database}`);
  const key = readAuditKey(config.auditKeyFile);
  if (keyedFrom !== undefined && key === null) {
    throw new InvalidArgument('--keyed-from needs the key: --audit-key-file or LATCHKEY_AUDIT_KEY_FILE');
  }
  const db = await openDatabase(database, { ...openOptions(config), migrate: 'never' });
  try {
    const organization = await db.read
      .selectFrom('organizations')
      .select('id')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    return await verifyChain(db, organization?.id ?? 0, key, anchors, keyedFrom);
  } finally {
    await db.close();
  }
}
