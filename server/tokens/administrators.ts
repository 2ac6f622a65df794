import { type Queries, runPrepared, type UserKind } from '../database/index.js';
import { insufficientScope } from '../errors.js';
import type { Caller } from './caller.js';
import { isAdminOfHolder, kindOfHolder } from './leaving.js';
import { ACT_AS, NAMED_SCOPES, OF_ADMINISTRATORS, VERIFY } from './scopes.js';

type TokenOfCaller = Pick<Caller, 'tokenId' | 'tokenType'>;

/**
 * Rejects with `insufficient_scope` if one of `scopes` is a scope that only administrators can hold, and the owner of the
 * caller's token can not, or the token has the scope from a time when it was a word of the operator's own API, which gave no
 * access here. Queries nothing for other scopes.
 */
export async function requireAdministrator(
  queries: Queries,
  caller: TokenOfCaller,
  scopes: readonly string[],
): Promise<void> {
  const named = scopes.filter((each) => NAMED_SCOPES.includes(each));
  if (named.length === 0) return;
  const held = await heldNamedScopes(queries, caller);
  const lacking = named.find((scope) => !held.includes(scope));
  if (lacking !== undefined) throw insufficientScope(lacking);
}

/** Which of the named scopes the caller's token may hold: whether it does hold them, its set of scopes tells. */
export async function heldNamedScopes(
  queries: Queries,
  { tokenId, tokenType }: TokenOfCaller,
): Promise<readonly string[]> {
  if (tokenType === 'session') return NAMED_SCOPES;
  const [token] = await runPrepared(queries, tokenAndReservation, { tokenId });
  if (token === undefined || token.created_at <= (token.audit_since ?? 0)) return [];
  if (token.is_admin === 1) return NAMED_SCOPES;
  return token.kind === 'service' ? [ACT_AS] : [];
}

/** The scopes that no token of an owner of this kind can have. */
const FORBIDDEN: Record<UserKind, readonly string[]> = {
  person: [],
  service: OF_ADMINISTRATORS.filter((scope) => scope !== ACT_AS),
  // A key of a customer must not show what other tokens are, nor what is known of the customer.
  external: [...OF_ADMINISTRATORS, VERIFY],
};

/** Whether tokens of owners of this kind can have the scope. */
export function isAllowedFor(kind: UserKind, scope: string): boolean {
  return !FORBIDDEN[kind].includes(scope);
}

/** Throws `insufficient_scope` if `scopes` contains one that no token of an owner of this kind can have. */
export function requireScopesForKind(kind: UserKind, scopes: readonly string[]): void {
  const forbidden = scopes.find((scope) => !isAllowedFor(kind, scope));
  if (forbidden !== undefined) throw insufficientScope(forbidden);
}

const tokenAndReservation = (read: Queries, { tokenId }: { tokenId: number }) =>
  read
    .selectFrom('access_tokens as token')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .select((eb) => ['token.created_at', kindOfHolder(eb).as('kind'), isAdminOfHolder(eb).as('is_admin')])
    .select(({ selectFrom }) =>
      selectFrom('organizations')
        .select('audit_since')
        .whereRef('organizations.id', '=', 'token.organization_id')
        .as('audit_since'),
    )
    .where('token.id', '=', tokenId);
