import { hash } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { AccessToken } from './token.js';

/** The token's `ETag`: all of it but when it was used, so that using a token stands in no editor's way. */
export function entityTagOf(token: AccessToken): string {
  const { previousSecret } = token;
  // Named one by one: an object that is spread and changed takes three times as long.
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

/** What a request makes its change depend on (RFC 9110, section 13.1); undefined is no condition. */
export interface Conditions {
  /** As the contract's pattern lets it through. */
  ifMatch: string | undefined;
  /** As it was sent; what is no list of entity tags names none. */
  ifNoneMatch: string | undefined;
}

/** Throws `precondition_failed` unless the token is as the conditions demand. */
export function checkConditions(conditions: Conditions, token: AccessToken): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  const tag = entityTagOf(token);
  if (ifMatch !== undefined && ifMatch !== '*' && !tagsIn(ifMatch).includes(tag)) {
    throw new ServiceError('precondition_failed');
  }
  if (ifNoneMatch === undefined) return;
  // Unlike the other this one compares weakly.
  if (ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some((one) => one.replace(/^W\//, '') === tag)) {
    throw new ServiceError('precondition_failed', {
      detail: 'The ETag of the token matches If-None-Match, so nothing was changed.',
    });
  }
}

/** The same for what is there and has no entity tag: it is as `*` says, and as no tag does. */
export function checkUntagged({ ifMatch, ifNoneMatch }: Conditions): void {
  if ((ifMatch === undefined || ifMatch === '*') && ifNoneMatch?.trim() !== '*') return;
  throw new ServiceError('precondition_failed', { detail: 'This has no ETag, so If-Match must be *.' });
}

function tagsIn(list: string): string[] {
  return list.split(',').map((tag) => tag.trim());
}
