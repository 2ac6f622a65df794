import type { Database } from '../database/index.js';
import type { Log } from '../log/log.js';

/**
 * Logs the end of each organization's chain. Who ships the log elsewhere has anchors there, which a changed or restored database
 * contradicts: `latchkey audit verify --anchor`.
 */
export async function logHeads({ read }: Pick<Database, 'read'>, log: Log): Promise<void> {
  const heads = await read
    .selectFrom('audit_heads as head')
    .innerJoin('organizations as organization', 'organization.id', 'head.organization_id')
    .select(['organization.slug', 'head.seq', 'head.hash'])
    .where('head.seq', '>', 0)
    .execute();
  for (const { slug, seq, hash } of heads) {
    log.info({ organization: slug, seq, hash: Buffer.from(hash).toString('hex') }, 'end of the audit log');
  }
}
