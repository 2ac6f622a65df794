import type { ErrorCode, Problem } from '../generated/types.gen.js';
import { type InputProblem, LatchkeyError, type LatchkeyErrorParts, messageOf } from './errors.js';
import { dateNow } from './timers.js';

/** A response whose body has been read to its end. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

export interface Expected {
  /** Media type of a successful response; null if it has no body. */
  mediaType: string | null;
  /** Error code for a 403 whose body has no `code`. */
  forbidden: ErrorCode;
}

/** HTTP status of each code. A response that has a status but no code gets the first code with that status. */
const STATUSES: Record<ErrorCode, number> = {
  bad_request: 400,
  insufficient_scope: 403,
  credential_not_allowed: 403,
  invalid_signature: 403,
  cross_site_request: 403,
  idempotency_conflict: 409,
  email_taken: 409,
  events_gone: 410,
  internal_error: 500,
  last_admin: 409,
  owner_disabled: 409,
  method_not_allowed: 405,
  not_found: 404,
  owner_not_found: 404,
  payload_too_large: 413,
  precondition_failed: 412,
  secret_key_missing: 409,
  service_unavailable: 503,
  clock_skew: 503,
  overloaded: 503,
  offboarding_under_way: 409,
  scopes_above_ceiling: 409,
  superseded_secret: 403,
  token_expired: 409,
  token_limit_reached: 409,
  token_revoked: 409,
  too_many_requests: 429,
  unauthorized: 401,
  unsupported_media_type: 415,
  url_not_allowed: 409,
  user_disabled: 403,
  webhook_disabled: 409,
  webhook_limit_reached: 409,
};

export function requestIdOf({ headers }: RawAnswer): string | undefined {
  return headers.get('X-Request-Id') ?? undefined;
}

/** Returns the data of a successful response; throws a `LatchkeyError` for any other. `mask` hides secrets in its texts. */
export function dataOf(answer: RawAnswer, expected: Expected, mask: (text: string) => string): unknown {
  const { status, headers, text } = answer;
  const mediaType = headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const body = mediaType === 'application/json' ? objectIn(text) : undefined;

  if (status >= 200 && status < 300) {
    if (expected.mediaType === null) {
      if (text === '') return undefined;
    } else if (status !== 204 && mediaType === expected.mediaType) {
      if (mediaType !== 'application/json') return text;
      if (body !== undefined) return body;
    }
  }

  const wait = waitIn(headers);
  const common = { status, requestId: requestIdOf(answer), retryAfterSeconds: wait === 'unclear' ? undefined : wait };
  const refusal = status >= 400 && body !== undefined ? refusalIn(body, status, expected, mask) : undefined;
  const error = new LatchkeyError({
    ...common,
    ...(refusal ?? {
      code: 'unexpected_answer',
      message: `Unexpected answer, not in the contract: status ${String(status)} with ${describe(mediaType, text)}`,
    }),
  });
  if (wait === 'unclear') unclearWaits.add(error);
  throw error;
}

const unclearWaits = new WeakSet<LatchkeyError>();

/** Whether `Retry-After` was sent but could not be read. Such a call is not retried: any pause might be too short. */
export function isWaitUnclear(error: LatchkeyError): boolean {
  return unclearWaits.has(error);
}

function describe(mediaType: string, text: string): string {
  if (text === '') return 'an empty body.';
  // The sender controls this header, so it is shown only if it has the form of a media type.
  return `a body of ${/^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(mediaType) ? mediaType : 'no known media type'}.`;
}

function refusalIn(
  body: Record<string, unknown>,
  status: number,
  { forbidden }: Expected,
  mask: (text: string) => string,
): LatchkeyErrorParts | undefined {
  const { error, error_description: description } = body;
  if (typeof error === 'string' && typeof description === 'string') return oauthRefusal(status, mask(description));
  const { detail, code } = body;
  const aboutInput = code === undefined && (status === 400 || status === 422);
  if (typeof detail === 'string' && !aboutInput) {
    const known = codeIn(code, mask) ?? (status === 403 ? forbidden : codeOf(status));
    return known && { code: known, message: mask(detail) };
  }
  const problems = problemsIn(body)?.map(({ field, message, ...problem }) => ({
    ...problem,
    field: field && mask(field),
    message: mask(message),
  }));
  return problems?.length ? invalidInput(problems) : undefined;
}

function invalidInput(problems: InputProblem[]): LatchkeyErrorParts {
  return { code: 'invalid_input', message: messageOf(problems), problems };
}

/** An OAuth error's code comes from its status, which is more precise than OAuth's own error codes. */
function oauthRefusal(status: number, message: string): LatchkeyErrorParts | undefined {
  if (status === 400) return invalidInput([{ field: null, message }]);
  const code = codeOf(status);
  return code && { code, message };
}

function codeOf(status: number): ErrorCode | undefined {
  return CODES.find((code) => STATUSES[code] === status);
}

/** Input problems in the error shape of either API; undefined or empty if `body` has neither shape. */
function problemsIn(body: Record<string, unknown>): InputProblem[] | undefined {
  const { detail } = body;
  if (typeof detail === 'string') return [{ field: null, message: detail }];
  if (Array.isArray(detail) && detail.every(isProblem)) {
    return detail.map(({ loc: [location = '', ...field], msg, type }) => ({
      field: field.join('.') || null,
      message: msg,
      type,
      location,
    }));
  }
  // Members of any other type come from a newer service and are ignored.
  const fields = Object.entries(body).filter((entry): entry is [string, string[]] => isTexts(entry[1]));
  return fields.flatMap(([field, messages]) =>
    messages.map((message) => ({ field: field === 'non_field_errors' ? null : field, message })),
  );
}

/** Seconds in `Retry-After`, which is a number of seconds or a date (RFC 9110, section 10.2.3). */
function waitIn(headers: Headers): number | 'unclear' | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  // `Date.parse` also accepts texts that are no HTTP dates, so the form is checked first.
  const at = /^[A-Z][a-z]+, .+ GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (at - dateNow()) / 1_000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 'unclear';
}

const CODES = Object.keys(STATUSES) as ErrorCode[];

/** The error code in a response body. A newer service's code is passed on, although the type does not include it. */
function codeIn(code: unknown, mask: (text: string) => string): ErrorCode | undefined {
  return typeof code === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(code) && mask(code) === code
    ? (code as ErrorCode)
    : undefined;
}

function isProblem(value: unknown): value is Problem {
  const { loc, msg, type } = (value ?? {}) as Record<string, unknown>;
  return isTexts(loc) && typeof msg === 'string' && typeof type === 'string';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
