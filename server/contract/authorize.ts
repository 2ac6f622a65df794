import type { IncomingMessage } from 'node:http';
import type { Deps } from '../deps.js';
import { insufficientScope, ServiceError, unauthorized } from '../errors.js';
import { isSameOrigin } from '../http/origin.js';
import type { Trace } from '../http/trace.js';
import { toInstant } from '../instants.js';
import type { Caller } from '../tokens/caller.js';
import { hasKeptAnswer } from '../tokens/once.js';
import { authenticate } from './authenticate.js';
import type { OperationId } from './operation-id.js';
import type { Operation } from './operations.js';

// Decides by the request's headers who may call an operation, before the body is read or any input is validated.

/** Operations that change nothing although their method is POST. */
const CHANGE_NOTHING: ReadonlySet<string> = new Set<OperationId>([
  'verifyAccessToken',
  'verifyAccessTokens',
  'introspectToken',
]);

const ROTATE: ReadonlySet<string> = new Set<OperationId>(['rotateAccessToken', 'rotateCurrentAccessToken']);

/** Shortest Idempotency-Key accepted with an ended secret; long enough that a thief of the secret cannot guess it. */
const UNGUESSABLE = 22;

const EXPIRES_AT = 'Latchkey-Token-Expires-At';

export interface Authorized {
  caller: Caller;
  /** The error for a caller that may only repeat an earlier request and does not. Undefined for all other callers. */
  unlessRepeated: ServiceError | undefined;
}

/**
 * Authenticates the caller of `operation` and checks that it may call it. Rejects with `unauthorized`, `superseded_secret`,
 * `cross_site_request` or `insufficient_scope`.
 */
export async function authorize(
  deps: Deps,
  operation: Operation,
  params: Readonly<Record<string, string>>,
  request: IncomingMessage,
  trace: Trace,
): Promise<Authorized> {
  const { headers } = request;
  const key = operation.headers.includes('idempotency-key') ? headers['idempotency-key'] : undefined;
  const caller = await authenticate(deps, headers, {
    schemes: operation.schemes,
    ended: ROTATE.has(operation.id) && String(key ?? '').length >= UNGUESSABLE,
  });
  trace.callerId = caller.ownerId;
  let unlessRepeated: ServiceError | undefined;
  if (caller.secret === 'ended') {
    unlessRepeated = unauthorized('superseded', { credentialSent: true });
  } else {
    if (caller.expiresAt !== null) trace.head.push(EXPIRES_AT, toInstant(caller.expiresAt));
    if (caller.secret === 'earlier' && !servesEarlier(operation, params, caller)) {
      unlessRepeated = new ServiceError('superseded_secret');
      if (typeof key !== 'string' || !(await hasKeptAnswer(deps, caller, key))) throw unlessRepeated;
    }
  }
  try {
    permit(deps, operation, request, caller);
  } catch (error) {
    throw unlessRepeated ?? error;
  }
  return { caller, unlessRepeated };
}

/**
 * Whether a secret in its grace period may call the operation. An earlier secret of a personal access token may read, verify
 * and revoke its token. An earlier secret of a session may do everything except rotate the session.
 */
function servesEarlier(operation: Operation, params: Readonly<Record<string, string>>, caller: Caller): boolean {
  const isOwn = params['token_id']?.toLowerCase() === caller.tokenUuid;
  if (caller.tokenType === 'session') {
    return operation.id !== 'rotateCurrentAccessToken' && !(operation.id === 'rotateAccessToken' && isOwn);
  }
  switch (operation.id as OperationId) {
    case 'revokeCurrentAccessToken':
    case 'revokeOAuthToken':
      return true;
    case 'revokeAccessToken':
      return isOwn;
    case 'revokePrivateToken':
      return Number(params['id']) === caller.tokenId;
    default:
      return operation.method === 'get' || CHANGE_NOTHING.has(operation.id);
  }
}

/** Throws `cross_site_request` or `insufficient_scope`. */
function permit({ config }: Deps, operation: Operation, request: IncomingMessage, caller: Caller): void {
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (changes && caller.authMethod === 'cookie' && !isSameOrigin(request, config)) {
    throw new ServiceError('cross_site_request');
  }
  for (const scope of operation.scopes) if (!caller.holds(scope)) throw insufficientScope(scope);
}
