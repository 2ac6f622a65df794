import { ServiceError } from '../errors.js';
import type { VersionedToken } from './token.js';

/** Digits of a version in base 36, for 78 billion changes. */
const VERSION_DIGITS = 7;

/**
 * The token's `ETag`: its version and the start of its newest secret's digest. Every change but a use gives another version.
 * A database that was restored from a backup repeats versions; after a rotation in between the secrets differ.
 */
export function entityTagOf({ version, secretStart }: Pick<VersionedToken, 'version' | 'secretStart'>): string {
  return `"v${version.toString(36).padStart(VERSION_DIGITS, '0')}${secretStart}"`;
}

/** The conditions of a request (RFC 9110, section 13.1); undefined for none. */
export interface Conditions {
  /** `*` or a list of entity tags, which the contract's pattern has checked. */
  ifMatch: string | undefined;
  /** As it was sent. A text that is no list of entity tags matches nothing. */
  ifNoneMatch: string | undefined;
}

/** Throws `precondition_failed` unless the token meets the conditions. */
export function checkConditions(conditions: Conditions, token: Parameters<typeof entityTagOf>[0]): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  const tag = entityTagOf(token);
  if (ifMatch !== undefined && ifMatch !== '*' && !tagsIn(ifMatch).includes(tag)) {
    throw new ServiceError('precondition_failed');
  }
  if (ifNoneMatch === undefined) return;
  // If-None-Match compares weakly, If-Match strongly.
  if (ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some((one) => one.replace(/^W\//, '') === tag)) {
    throw new ServiceError('precondition_failed', {
      detail: 'The ETag of the token matches If-None-Match, so nothing was changed.',
    });
  }
}

/** Throws `precondition_failed` unless something without an entity tag meets the conditions: only `*` matches it. */
export function checkUntagged({ ifMatch, ifNoneMatch }: Conditions): void {
  if ((ifMatch === undefined || ifMatch === '*') && ifNoneMatch?.trim() !== '*') return;
  throw new ServiceError('precondition_failed', { detail: 'This has no ETag, so If-Match must be *.' });
}

/** Throws `precondition_failed` if something that does not exist yet had to exist. */
export function checkMissing({ ifMatch }: Conditions): void {
  if (ifMatch === undefined) return;
  throw new ServiceError('precondition_failed', { detail: 'This does not exist, so no If-Match matches it.' });
}

function tagsIn(list: string): string[] {
  return list.split(',').map((tag) => tag.trim());
}
