import { ServiceError } from '../errors.js';
import { toScopes } from './scopes.js';

// An administrator can limit the scopes of a service's tokens. The limit is for tokens that are created, edited or given to the
// service; those that exist keep their scopes.

/** The most scopes that the owner's tokens can have; null for no limit. */
export type Ceiling = readonly string[] | null;

/** Reads the column of a user. */
export function toCeiling(column: string | null): Ceiling {
  return column === null ? null : toScopes(column);
}

export function isBelow(ceiling: Ceiling, scope: string): boolean {
  return ceiling === null || ceiling.includes(scope);
}

/** Throws `scopes_above_ceiling`, which names the scopes, if one of `scopes` is not below the ceiling. */
export function requireBelow(ceiling: Ceiling, scopes: readonly string[]): void {
  requireNone(scopes.filter((scope) => !isBelow(ceiling, scope)));
}

/** Throws `scopes_above_ceiling`, which names the scopes, unless there are none. */
export function requireNone(above: readonly string[]): void {
  if (above.length === 0) return;
  const names = [...new Set(above)].sort().join(', ');
  throw new ServiceError('scopes_above_ceiling', { detail: `The owner may not have these scopes: ${names}.` });
}
