import type { Problem } from '../../generated/types.gen.js';
import { type Queries, runPrepared, type TokenType } from '../database/index.js';
import { insufficientScope, ServiceError } from '../errors.js';

// Scopes say what a token may do. This service checks its own; all others are for the APIs that verify tokens.

/** Allows everything, because it allows setting passwords. Only tokens of administrators can hold it. */
export const ADMINISTER = 'users:admin';
/** Needed to read the audit log of the organization. Only tokens of administrators can hold it. */
export const AUDIT = 'audit:read';
/** Needed to create, edit and delete webhooks, and to see what they got. Only tokens of administrators can hold it. */
export const WEBHOOKS = 'webhooks:admin';
/** Needed to see what breaks the policy, and to apply it to old tokens. Only tokens of administrators can hold it. */
export const POLICY = 'policy:admin';
/** Needed to act for external owners and services. Only tokens of administrators and of services can hold it. */
export const ACT_AS = 'tokens:act-as';
/**
 * Scopes that only administrators can hold, besides `users:admin`; services can hold `tokens:act-as`. Until `organizations.audit_since`, they were words of the
 * operator's own API, so that `requireAdministrator` checks their holders.
 */
export const NAMED_SCOPES: readonly string[] = [AUDIT, WEBHOOKS, POLICY, ACT_AS];
/** The scopes that only administrators can hold. A token has them only if a request named them. */
export const OF_ADMINISTRATORS: readonly string[] = [...NAMED_SCOPES, ADMINISTER];
/** Needed to see tokens and their events. */
export const READ = 'tokens:read';
/** Needed to create, edit, rotate and revoke tokens. */
export const WRITE = 'tokens:write';
/** Needed to ask whether other tokens are valid, and whose they are. */
export const VERIFY = 'tokens:verify';
const TOKENS = [READ, VERIFY, WRITE];

/** The one who holds scopes: a token, together with its owner's rights. */
export interface Holder {
  type: TokenType;
  scopes: readonly string[];
  ownerIsAdmin: boolean;
}

/** This service's scopes that a user has, in alphabetical order. */
export function scopesOfUser(isAdmin: boolean): string[] {
  return isAdmin ? [...OWN].sort() : TOKENS;
}

/** Whether `holder` holds `scope`. A session holds every scope, but those of administrators only if its user is one. */
export function holds({ type, scopes, ownerIsAdmin }: Holder, scope: string): boolean {
  if (scope === ADMINISTER && !ownerIsAdmin) return false;
  // A token from before such a scope was one of this service may have it, whoever its owner is: see `requireAdministrator`.
  return type === 'session' ? ownerIsAdmin || !NAMED_SCOPES.includes(scope) : scopes.includes(scope);
}

/** Scopes with these beginnings are reserved for this service, including those that it does not use yet. */
const RESERVED = ['tokens:', 'users:', 'audit:', 'webhooks:', 'organizations:', 'policy:'];
const OWN = [...NAMED_SCOPES, ...TOKENS, ADMINISTER];

/** The beginning by which `scope` is reserved; undefined for a scope of this service and for a word of another API. */
export function reservedBy(scope: string): string | undefined {
  return OWN.includes(scope) ? undefined : RESERVED.find((beginning) => scope.startsWith(beginning));
}

/** Throws `invalid_input` if one of `scopes` is reserved and not among `kept`, the ones that the token has from before. */
export function requireOwnWords(scopes: readonly string[], kept: readonly string[] = []): void {
  const problems = scopes.flatMap((scope, index): Problem[] => {
    const beginning = reservedBy(scope);
    if (beginning === undefined || kept.includes(scope)) return [];
    const msg = `Scopes that begin with ${beginning} are reserved for this service, which has ${OWN.join(', ')}`;
    return [{ loc: ['body', 'scopes', String(index)], msg, type: 'value_error' }];
  });
  if (problems.length > 0) throw new ServiceError('invalid_input', { problems });
}

/** Throws `insufficient_scope` unless `holder` holds all of `scopes`. */
export function requireScopes(holder: Holder, scopes: readonly string[]): void {
  const lacking = scopes.find((scope) => !holds(holder, scope));
  if (lacking !== undefined) throw insufficientScope(lacking);
}

/** Throws `insufficient_scope` if `token`, as it will be after the change, has scopes that `holder` lacks. */
export function requireScopesOf(holder: Holder, token: Pick<Holder, 'type' | 'scopes'>): void {
  if (token.type === 'session' && holder.type !== 'session') {
    throw new ServiceError('insufficient_scope', { detail: 'Only a session can change a session.' });
  }
  requireScopes(holder, token.scopes);
}

/**
 * The scopes of a token that `holder` creates: the `requested` ones, or by default its own without reserved ones, and without
 * those of administrators, which a request must name, and without those above the `ceiling` of the owner. For another owner (`isForOther`), a request must name every scope of this
 * service. Throws `insufficient_scope` if `holder` lacks a requested scope.
 */
export function scopesToGive(
  holder: Holder,
  requested: readonly string[] | undefined,
  { isForOther, ceiling }: { isForOther: boolean; ceiling: readonly string[] | null },
): string[] {
  if (requested === undefined) {
    const own = holder.type === 'session' ? TOKENS : holder.scopes;
    const unnamed = isForOther ? OWN : OF_ADMINISTRATORS;
    return own.filter(
      (scope) =>
        !unnamed.includes(scope) && reservedBy(scope) === undefined && (ceiling === null || ceiling.includes(scope)),
    );
  }
  requireScopes(holder, requested);
  return [...requested];
}

/** Splits the text in which a row stores scopes. */
export function toScopes(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

const setOfScopes = (queries: Queries, { text }: { text: string }) =>
  queries.selectFrom('scope_sets').select('id').where('scopes', '=', text);

/** Returns the id of the set of these scopes, and inserts the set if it is new. */
export async function scopeSetId(trx: Queries, scopes: readonly string[]): Promise<number> {
  const sorted = [...new Set(scopes)].sort();
  const text = sorted.join(' ');
  const [known] = await runPrepared(trx, setOfScopes, { text });
  if (known !== undefined) return known.id;
  const made = await trx
    .insertInto('scope_sets')
    .values({ scopes: text })
    .onConflict((conflict) => conflict.column('scopes').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (made === undefined) {
    // Another write has made it since, and its commit was waited for.
    const [other] = await runPrepared(trx, setOfScopes, { text });
    if (other === undefined) throw new TypeError('there is no set of these scopes');
    return other.id;
  }
  const { id } = made;
  if (sorted.length > 0) {
    const members = sorted.map((scope) => ({ scope, scope_set_id: id }));
    await trx.insertInto('scope_set_members').values(members).execute();
  }
  return id;
}
