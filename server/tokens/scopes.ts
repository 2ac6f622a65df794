import { type Queries, runPrepared, type TokenType } from '../database/index.js';
import { insufficientScope, ServiceError } from '../errors.js';

// What a token may do, in words. Some of them guard this service; any other is a word of somebody's own API.

/** Guards the users, passwords included: whoever has it can be anybody. Nobody but administrators can hold it. */
export const ADMINISTER = 'users:admin';
/** Guards what changes tokens. */
export const WRITE = 'tokens:write';
const TOKENS = ['tokens:read', 'tokens:verify', WRITE];

/** Who may do what: a token with its owner. */
export interface Holder {
  type: TokenType;
  scopes: readonly string[];
  ownerIsAdmin: boolean;
}

/** What a user may do at this service, in alphabetical order. */
export function scopesOfUser(isAdmin: boolean): string[] {
  return isAdmin ? [...TOKENS, ADMINISTER] : TOKENS;
}

/** A session may do all that its user may, and speaks for the user in the words of other APIs. */
export function holds({ type, scopes, ownerIsAdmin }: Holder, scope: string): boolean {
  if (scope === ADMINISTER && !ownerIsAdmin) return false;
  return type === 'session' || scopes.includes(scope);
}

/** Throws `insufficient_scope` unless `holder` holds all of `scopes`. */
export function requireScopes(holder: Holder, scopes: readonly string[]): void {
  const lacking = scopes.find((scope) => !holds(holder, scope));
  if (lacking !== undefined) throw insufficientScope(lacking);
}

/** Throws `insufficient_scope` where `token`, as it shall be, may do more than `holder`, who changes it. */
export function requireScopesOf(holder: Holder, token: Pick<Holder, 'type' | 'scopes'>): void {
  if (token.type === 'session' && holder.type !== 'session') {
    throw new ServiceError('insufficient_scope', { detail: 'Only a session can change a session.' });
  }
  requireScopes(holder, token.scopes);
}

/**
 * The scopes of a token that `holder` gives: those that are wished for, or else its own but `users:admin`, which no token
 * has unless it is named. Throws `insufficient_scope` where that would be more than it has.
 */
export function scopesToGive(holder: Holder, wished: readonly string[] | undefined): string[] {
  if (wished === undefined) {
    const own = holder.type === 'session' ? TOKENS : holder.scopes;
    return own.filter((scope) => scope !== ADMINISTER);
  }
  requireScopes(holder, wished);
  return [...wished];
}

/** The scopes in a row's text. */
export function toScopes(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}

const setOfScopes = (queries: Queries, { text }: { text: string }) =>
  queries.selectFrom('scope_sets').select('id').where('scopes', '=', text);

/** The id of the set of these scopes, which is made where there is none. */
export async function scopeSetId(trx: Queries, scopes: readonly string[]): Promise<number> {
  const sorted = [...new Set(scopes)].sort();
  const text = sorted.join(' ');
  const [known] = await runPrepared(trx, setOfScopes, { text });
  if (known !== undefined) return known.id;
  const { id } = await trx.insertInto('scope_sets').values({ scopes: text }).returning('id').executeTakeFirstOrThrow();
  if (sorted.length > 0) {
    const members = sorted.map((scope) => ({ scope, scope_set_id: id }));
    await trx.insertInto('scope_set_members').values(members).execute();
  }
  return id;
}
