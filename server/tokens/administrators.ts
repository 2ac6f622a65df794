import { type Queries, runPrepared } from '../database/index.js';
import { insufficientScope } from '../errors.js';
import type { Caller } from './caller.js';
import { NAMED_SCOPES } from './scopes.js';

/**
 * Rejects with `insufficient_scope` if one of `scopes` is a scope that only administrators can hold, and the owner of the
 * caller's token is no administrator, or the token has the scope from a time when it was a word of the operator's own API,
 * which gave no access here. Queries nothing for other scopes.
 */
export async function requireAdministrator(
  queries: Queries,
  { tokenId, tokenType }: Pick<Caller, 'tokenId' | 'tokenType'>,
  scopes: readonly string[],
): Promise<void> {
  const scope = scopes.find((each) => NAMED_SCOPES.includes(each));
  if (scope === undefined) return;
  if (!(await hasNamedScopes(queries, { tokenId, tokenType }))) throw insufficientScope(scope);
}

/** Whether the named scopes that the caller's token holds are those of this service, and the token is an administrator's. */
export async function hasNamedScopes(
  queries: Queries,
  { tokenId, tokenType }: Pick<Caller, 'tokenId' | 'tokenType'>,
): Promise<boolean> {
  if (tokenType === 'session') return true;
  const [token] = await runPrepared(queries, tokenAndReservation, { tokenId });
  return token !== undefined && token.is_admin === 1 && token.created_at > (token.audit_since ?? 0);
}

const tokenAndReservation = (read: Queries, { tokenId }: { tokenId: number }) =>
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
