import type { ErrorCode, Problem } from '../generated/types.gen.js';
import { isStorageFault, WriteQueueFull } from './database/index.js';

/**
 * All error codes: those of the contract, and two for bad input. An answer to bad input has problems instead of a code.
 */
export type Code = ErrorCode | 'invalid_input' | 'idempotency_key_reused';

/** The parts of the contract, each with its own shape of error bodies. */
export type Surface = 'private tokens' | 'access tokens' | 'oauth';

const FAULTS: Record<Code, { status: number; detail: string }> = {
  bad_request: { status: 400, detail: 'The request must have exactly one Host header.' },
  unauthorized: { status: 401, detail: 'Authentication is required: send a valid token.' },
  credential_not_allowed: {
    status: 403,
    detail: 'Send no credential with this request, only the ones to report.',
  },
  invalid_signature: { status: 403, detail: "The signature does not fit the body and GitHub's keys." },
  cross_site_request: {
    status: 403,
    detail: 'A request with the cookie must come from a page of this origin. Send the token in a header instead.',
  },
  insufficient_scope: { status: 403, detail: 'The token lacks a scope.' },
  superseded_secret: {
    status: 403,
    detail: 'The token has a newer secret; this one may only read, verify and revoke its token.',
  },
  user_disabled: { status: 403, detail: 'This user is disabled.' },
  not_found: { status: 404, detail: 'No such token.' },
  owner_not_found: { status: 404, detail: 'No such owner.' },
  method_not_allowed: {
    status: 405,
    detail: 'This path does not support this method. The Allow header lists the methods that it supports.',
  },
  email_taken: { status: 409, detail: 'A user with this e-mail already exists.' },
  offboarding_under_way: {
    status: 409,
    detail: 'The user is being offboarded. Send that request again to end it.',
  },
  scopes_above_ceiling: { status: 409, detail: 'The owner may not have these scopes.' },
  last_admin: {
    status: 409,
    detail: 'This is the last enabled administrator. Make another user an administrator first.',
  },
  owner_disabled: {
    status: 409,
    detail: 'The owner is disabled, so that a new token would not be valid. Enable the owner first.',
  },
  idempotency_conflict: {
    status: 409,
    detail:
      'This Idempotency-Key was used with an earlier secret of the token, so its answer cannot be shown again. Use a new key.',
  },
  token_expired: { status: 409, detail: 'The token has expired. Rotate it to give it a new lifetime.' },
  token_limit_reached: { status: 409, detail: 'The owner has as many tokens as the policy allows. Revoke one first.' },
  token_revoked: { status: 409, detail: 'The token is revoked. A revoked token cannot be changed.' },
  events_gone: { status: 410, detail: 'Events after this place were deleted.' },
  precondition_failed: {
    status: 412,
    detail: 'The ETag of the token does not match If-Match. Get the token again and send its new ETag.',
  },
  payload_too_large: { status: 413, detail: 'The body is larger than 65536 bytes.' },
  unsupported_media_type: {
    status: 415,
    detail: 'The body must be application/json in UTF-8 without a content encoding.',
  },
  url_not_allowed: { status: 409, detail: 'The service must not send to this URL.' },
  webhook_disabled: { status: 409, detail: 'The webhook is disabled. Enable it first.' },
  webhook_limit_reached: {
    status: 409,
    detail: 'The organization has 50 webhooks already. Delete one first.',
  },
  invalid_input: { status: 422, detail: 'The input is not valid.' },
  idempotency_key_reused: {
    status: 422,
    detail: 'This Idempotency-Key was already used for a different request. Use a new key.',
  },
  too_many_requests: { status: 429, detail: 'Too many failed logins. Try again after the time in Retry-After.' },
  internal_error: { status: 500, detail: 'Internal error' },
  secret_key_missing: {
    status: 409,
    detail: 'This service has no key to store the secret of a webhook. Its operator must set LATCHKEY_SECRET_KEY_FILE.',
  },
  service_unavailable: { status: 503, detail: 'The database is not available.' },
  clock_skew: {
    status: 503,
    detail: 'The clocks of this machine and of the database server differ by more than 30 seconds.',
  },
  overloaded: { status: 503, detail: 'Too many requests are waiting. Try again after the time in Retry-After.' },
};

interface Extras {
  detail?: string;
  problems?: Problem[];
  headers?: Record<string, string>;
  /** For the log only: why a credential was rejected, or the error that caused this error. */
  cause?: unknown;
}

/**
 * The error that the domain and the handlers throw on purpose. Every other error is a fault of the database, which
 * becomes a 503, or a bug, which becomes a 500.
 */
export class ServiceError extends Error {
  override name = 'ServiceError';
  readonly status: number;
  readonly problems: Problem[];
  readonly headers: Record<string, string>;

  constructor(
    readonly code: Code,
    { detail = FAULTS[code].detail, problems = [], headers = {}, cause }: Extras = {},
  ) {
    super(detail, { cause });
    this.status = FAULTS[code].status;
    this.problems = problems;
    this.headers = headers;
  }
}

/** Creates the error for bad input at one place, such as `['body', 'name']`. */
export function invalidInput(loc: string[], type: Problem['type'], msg: string): ServiceError {
  return new ServiceError('invalid_input', { problems: [{ loc, msg, type }] });
}

/** Creates a 401. `reason` goes to the log only. The challenge says `invalid_token` if a credential was sent. */
export function unauthorized(
  reason: string,
  { credentialSent, detail }: { credentialSent: boolean; detail?: string },
): ServiceError {
  return new ServiceError('unauthorized', {
    ...(detail !== undefined && { detail }),
    headers: { 'WWW-Authenticate': credentialSent ? 'Bearer error="invalid_token"' : 'Bearer' },
    cause: reason,
  });
}

/** Creates a 403 for a caller without `scope` (RFC 6750, section 3.1). */
export function insufficientScope(scope: string, detail = `The token lacks a scope: ${scope}.`): ServiceError {
  return new ServiceError('insufficient_scope', {
    detail,
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}

/**
 * Creates a 503 with `Retry-After: 1` (seconds) for a service that is starting or stopping, or whose database fails.
 */
export function unavailable(detail?: string, cause?: unknown): ServiceError {
  return new ServiceError('service_unavailable', {
    ...(detail !== undefined && { detail }),
    headers: { 'Retry-After': '1' },
    cause,
  });
}

/** Creates a 503 for readiness. `Retry-After` is 60 seconds, after which the clocks are compared again. */
export function clockSkew(): ServiceError {
  return new ServiceError('clock_skew', { headers: { 'Retry-After': '60' } });
}

/**
 * Creates a 503 with `Retry-After: 1` (seconds) for a request that would wait too long. The request's operation has
 * changed nothing.
 */
export function overloaded(cause?: unknown): ServiceError {
  return new ServiceError('overloaded', { headers: { 'Retry-After': '1' }, cause });
}

/**
 * Converts any thrown value to a `ServiceError`: a storage fault or a full write queue to 503, an unknown error to 500.
 */
export function toServiceError(error: unknown, requestId: string): ServiceError {
  if (error instanceof ServiceError) return error;
  if (isStorageFault(error)) return unavailable(undefined, error);
  if (error instanceof WriteQueueFull) return overloaded(error);
  return new ServiceError('internal_error', {
    detail: `Internal error; the log has it under request id ${requestId}.`,
    cause: error,
  });
}

/** The HTTP status and the body of `error`, in the shape of `surface`. */
export function toWire(error: ServiceError, surface: Surface): { status: number; body: object } {
  switch (surface) {
    case 'private tokens':
      return toPrivateWire(error);
    case 'access tokens':
      return toAccessWire(error);
    case 'oauth':
      return toOAuthWire(error);
  }
}

function toAccessWire({ code, message: detail, status, problems }: ServiceError) {
  if (code === 'invalid_input' || code === 'idempotency_key_reused') return { status: 422, body: { detail: problems } };
  return { status, body: { detail, code } };
}

function toPrivateWire({ code, message: detail, status, problems }: ServiceError) {
  if (code === 'token_limit_reached') return { status: 400, body: { non_field_errors: [detail] } };
  if (code !== 'invalid_input') return { status, body: { detail } };
  const noJson = problems.find(({ type }) => type === 'json_invalid');
  if (noJson) return { status: 400, body: { detail: noJson.msg } };
  const fields = new Map<string, string[]>();
  for (const { loc, msg } of problems) {
    const field = loc.slice(1).join('.') || 'non_field_errors';
    fields.set(field, [...(fields.get(field) ?? []), msg]);
  }
  return { status: 400, body: Object.fromEntries(fields) };
}

/** The shape of RFC 6749, section 5.2. */
function toOAuthWire({ code, message, status, problems }: ServiceError) {
  if (code === 'invalid_input') {
    const sentences = problems.map(({ loc, msg }) => [...loc.slice(1), msg].join(': ')).join('; ');
    // The name of a parameter can have characters that RFC 6749 does not allow in `error_description`.
    const error_description = sentences.replace(/[^ !#-[\]-~]/g, '?').slice(0, 1_024);
    return { status: 400, body: { error: 'invalid_request', error_description } };
  }
  return { status, body: { error: OAUTH_ERRORS[status] ?? 'invalid_request', error_description: message } };
}

const OAUTH_ERRORS: Record<number, string> = {
  401: 'invalid_client',
  403: 'insufficient_scope',
  500: 'server_error',
  503: 'temporarily_unavailable',
};
