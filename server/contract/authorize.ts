import type { IncomingMessage } from 'node:http';
import type { Deps } from '../deps.js';
import { insufficientScope, ServiceError, unauthorized } from '../errors.js';
import { isSameOrigin } from '../http/origin.js';
import type { Trace } from '../http/trace.js';
import { toInstant } from '../instants.js';
import { type NamedOwner } from '../tokens/acting.js';
import { requireAdministrator } from '../tokens/administrators.js';
import type { Caller } from '../tokens/caller.js';
import { hasStoredAnswer } from '../tokens/once.js';
import { authenticate } from './authenticate.js';
import type { OperationId } from './operation-id.js';
import type { Operation } from './operations.js';

// This file decides whether a caller may call an operation. The decision needs only the request's method, path and
// headers, so the service decides before it reads the body and validates the input.

/** The operations that change nothing although their method is POST. */
const CHANGE_NOTHING: ReadonlySet<string> = new Set<OperationId>([
  'verifyAccessToken',
  'verifyAccessTokens',
  'introspectToken',
]);

const ROTATE: ReadonlySet<string> = new Set<OperationId>(['rotateAccessToken', 'rotateCurrentAccessToken']);

/**
 * Characters. The shortest `Idempotency-Key` accepted with an ended secret: long enough that a thief who has the secret
 * cannot guess the key and get the new secret.
 */
const UNGUESSABLE = 22;

const EXPIRES_AT = 'Latchkey-Token-Expires-At';

/** A caller that may call the operation. */
export interface Authorized {
  caller: Caller;
  /**
   * The error to answer with if the operation rejects the request, instead of the operation's own error. Set only for a
   * caller whose earlier secret may do no more here than repeat a request and get the stored answer. Undefined for all
   * other callers.
   */
  unlessRepeated: ServiceError | undefined;
}

/**
 * Authenticates the caller of a request and checks that the caller may call `operation`. Adds a header with the token's
 * expiry to the answer.
 *
 * Rejects as `authenticate` does, and with:
 * - `superseded_secret` if an earlier secret may not call the operation, and no answer for the request's
 *   `Idempotency-Key` is stored.
 * - `cross_site_request` if a request with the cookie that may change something comes from another origin.
 * - `insufficient_scope` if the token lacks a scope of the operation, or has it from a time when it gave no access here.
 */
export async function authorize(
  deps: Deps,
  operation: Operation,
  { params, search }: { params: Readonly<Record<string, string>>; search: string },
  request: IncomingMessage,
  trace: Trace,
): Promise<Authorized> {
  const { headers } = request;
  const key = operation.headers.includes('idempotency-key') ? headers['idempotency-key'] : undefined;
  const accepted = {
    schemes: operation.schemes,
    ended: ROTATE.has(operation.id) && String(key ?? '').length >= UNGUESSABLE,
  };
  const caller = await authenticate(deps, { headers, requestId: trace.requestId }, accepted);
  trace.callerId = caller.ownerId;
  let unlessRepeated: ServiceError | undefined;
  if (caller.secret === 'ended') {
    unlessRepeated = unauthorized('secret_ended', { credentialSent: true });
  } else {
    if (caller.expiresAt !== null) trace.head.push(EXPIRES_AT, toInstant(caller.expiresAt));
    if (caller.secret === 'earlier' && !servesEarlier(operation, params, caller)) {
      unlessRepeated = new ServiceError('superseded_secret');
      if (typeof key !== 'string' || !(await hasStoredAnswer(deps, caller, ownerIn(search), key))) throw unlessRepeated;
    }
  }
  try {
    permit(deps, operation, request, caller);
    await requireAdministrator(deps.db.read, caller, operation.scopes);
  } catch (error) {
    throw unlessRepeated ?? error;
  }
  return { caller, unlessRepeated };
}

/** The owner that the query names. The query is not validated yet, so that this is only good for finding a stored answer. */
function ownerIn(search: string): NamedOwner {
  const query = new URLSearchParams(search);
  const owner = query.get('owner');
  const externalOwner = query.get('externalOwner');
  return {
    ...(owner !== null && /^[0-9]{1,16}$/.test(owner) && { owner: Number(owner) }),
    ...(externalOwner !== null && { externalOwner }),
  };
}

/**
 * Whether an earlier secret in its grace period may call the operation. An earlier secret of a personal access token
 * may call the operations that change nothing, and may revoke its token. An earlier secret of a session may call every
 * operation but a rotation of its session.
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

/**
 * Checks the origin of a request with the cookie, and the scopes. Throws `cross_site_request` or `insufficient_scope`.
 */
function permit({ config }: Deps, operation: Operation, request: IncomingMessage, caller: Caller): void {
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (changes && caller.authMethod === 'cookie' && !isSameOrigin(request, config)) {
    throw new ServiceError('cross_site_request');
  }
  for (const scope of operation.scopes) if (!caller.holds(scope)) throw insufficientScope(scope);
}
