import { type Queries, runPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';
import { insufficientScope } from '../errors.js';
import type { Caller } from '../tokens/caller.js';

/**
 * Rejects with `insufficient_scope` if the owner of the caller's token is no administrator, or if the token has `audit:read` from a
 * time when this was a word of the operator's own API, which gave no access to the audit log.
 */
export async function requireAuditor({ db }: Pick<Deps, 'db'>, { tokenId, tokenType }: Caller): Promise<void> {
  if (tokenType === 'session') return;
  const [token] = await runPrepared(db.read, tokenAndLog, { tokenId });
  if (token === undefined || token.is_admin === 0 || token.created_at <= (token.audit_since ?? 0)) {
    throw insufficientScope('audit:read');
  }
}

const tokenAndLog = (read: Queries, { tokenId }: { tokenId: number }) =>
  read
    .selectFrom('access_tokens as token')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .select(['token.created_at', 'owner.is_admin'])
    .select(({ selectFrom }) =>
      selectFrom('organizations')
        .select('audit_since')
        .whereRef('organizations.id', '=', 'token.organization_id')
        .as('audit_since'),
    )
    .where('token.id', '=', tokenId);
