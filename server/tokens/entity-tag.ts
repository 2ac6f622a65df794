import { hash } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { AccessToken } from './token.js';

/** The token's `ETag`. It covers the whole record except the times of use, so that using a token fails no edit. */
export function entityTagOf(token: AccessToken): string {
  const { previousSecret } = token;
  // Listing the members takes a third of the time that spreading the object does.
  const edited = JSON.stringify({
    id: token.id,
    uuid: token.uuid,
    type: token.type,
    name: token.name,
    prefix: token.prefix,
    createdAt: token.createdAt,
    expiresAt: token.expiresAt,
    lastUsedAt: null,
    revokedAt: token.revokedAt,
    description: token.description,
    metadata: token.metadata,
    scopes: token.scopes,
    disabledAt: token.disabledAt,
    previousSecret: previousSecret && {
      prefix: previousSecret.prefix,
      validUntil: previousSecret.validUntil,
      lastUsedAt: null,
    },
  } satisfies AccessToken);
  return `"${hash('sha256', edited, 'base64url').slice(0, 16)}"`;
}

/** The conditions of a request (RFC 9110, section 13.1); undefined for none. */
export interface Conditions {
  /** `*` or a list of entity tags, which the contract's pattern has checked. */
  ifMatch: string | undefined;
  /** As it was sent. A text that is no list of entity tags matches nothing. */
  ifNoneMatch: string | undefined;
}

/** Throws `precondition_failed` unless the token meets the conditions. */
export function checkConditions(conditions: Conditions, token: AccessToken): void {
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

function tagsIn(list: string): string[] {
  return list.split(',').map((tag) => tag.trim());
}
