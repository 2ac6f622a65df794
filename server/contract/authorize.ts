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

// Who may call an operation, decided by the request's head: before its body is read or its input is looked at.

/** Operations that change nothing though their method is POST. */
const CHANGE_NOTHING: ReadonlySet<string> = new Set<OperationId>([
  'verifyAccessToken',
  'verifyAccessTokens',
  'introspectToken',
]);

const ROTATE: ReadonlySet<string> = new Set<OperationId>(['rotateAccessToken', 'rotateCurrentAccessToken']);

/** Characters of an Idempotency-Key that an ended secret is let in with: whoever stole the secret must not find it. */
const UNGUESSABLE = 22;

const EXPIRES_AT = 'Latchkey-Token-Expires-At';

export interface Authorized {
  caller: Caller;
  /** For a caller who may only repeat a request: what it is told of any other outcome. Undefined for everybody else. */
  unlessRepeated: ServiceError | undefined;
}

/**
 * The caller of `operation`. Rejects with `unauthorized`, and with `superseded_secret`, `cross_site_request` or
 * `insufficient_scope` for a caller who may not ask for this in this way.
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
 * Whether an operation serves a secret in its grace period. One of a personal access token may look, and end its token.
 * An earlier secret of a session may do all that the session may, but for a rotation of it.
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

/** Throws where the caller may not ask for this in this way. */
function permit({ config }: Deps, operation: Operation, request: IncomingMessage, caller: Caller): void {
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (changes && caller.authMethod === 'cookie' && !isSameOrigin(request, config)) {
    throw new ServiceError('cross_site_request');
  }
  for (const scope of operation.scopes) if (!caller.holds(scope)) throw insufficientScope(scope);
}
