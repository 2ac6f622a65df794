import type { ErrorCode, Problem } from '../generated/types.gen.js';
import { type InputProblem, LatchkeyError, type LatchkeyErrorParts, messageOf } from './errors.js';
import { dateNow } from './timers.js';

/** What came back, read to its end. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
}

export interface Expected {
  /** The media type that a success has; null where it has no body. */
  mediaType: string | null;
  /** What a 403 means on the API whose errors carry no code. */
  forbidden: ErrorCode;
}

/** Of several codes with one status the first is meant where an API says the status alone. */
const STATUSES: Record<ErrorCode, number> = {
  bad_request: 400,
  insufficient_scope: 403,
  cross_site_request: 403,
  idempotency_conflict: 409,
  email_taken: 409,
  internal_error: 500,
  last_admin: 409,
  method_not_allowed: 405,
  not_found: 404,
  payload_too_large: 413,
  precondition_failed: 412,
  service_unavailable: 503,
  overloaded: 503,
  superseded_secret: 403,
  token_expired: 409,
  token_limit_reached: 409,
  token_revoked: 409,
  too_many_requests: 429,
  unauthorized: 401,
  unsupported_media_type: 415,
  user_disabled: 403,
};

export function requestIdOf({ headers }: RawAnswer): string | undefined {
  return headers.get('X-Request-Id') ?? undefined;
}

/** The data of an answer. Throws the `LatchkeyError` that it is where it is no success; `mask` hides secrets in texts. */
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
      message: `An answer that the contract does not have: status ${String(status)} with ${describe(mediaType, text)}`,
    }),
  });
  if (wait === 'unclear') unclearWaits.add(error);
  throw error;
}

const unclearWaits = new WeakSet<LatchkeyError>();

/** Whether the service asked to wait, but not for how long: no pause of the client's own is sure to be long enough. */
export function isWaitUnclear(error: LatchkeyError): boolean {
  return unclearWaits.has(error);
}

function describe(mediaType: string, text: string): string {
  if (text === '') return 'an empty body.';
  // The header is the sender's text: shown only where it is a media type and nothing else.
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

/** OAuth has codes of its own, which say less than the status does. */
function oauthRefusal(status: number, message: string): LatchkeyErrorParts | undefined {
  if (status === 400) return invalidInput([{ field: null, message }]);
  const code = codeOf(status);
  return code && { code, message };
}

/** Where only the status tells. */
function codeOf(status: number): ErrorCode | undefined {
  return CODES.find((code) => STATUSES[code] === status);
}

/** Undefined where `body` has neither API's shape. */
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
  // What a later service says beside them is no problem with a field.
  const fields = Object.entries(body).filter((entry): entry is [string, string[]] => isTexts(entry[1]));
  return fields.flatMap(([field, messages]) =>
    messages.map((message) => ({ field: field === 'non_field_errors' ? null : field, message })),
  );
}

/** Seconds from a number of them or a date (RFC 9110, 10.2.3). */
function waitIn(headers: Headers): number | 'unclear' | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  // Of anything else `Date.parse` makes a date that nobody meant.
  const at = /^[A-Z][a-z]+, .+ GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (at - dateNow()) / 1_000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 'unclear';
}

const CODES = Object.keys(STATUSES) as ErrorCode[];

/** A code as the service states it: one of a later service is told as it is, though no type has it. */
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
