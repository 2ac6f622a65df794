import type { ErrorCode, Problem } from '../generated/types.gen.js';

/**
 * What went wrong: an error code of the API, or one of four codes that the client adds. A service newer than this client
 * may send further codes, which are passed on unchanged: give each `switch` over the code a `default`.
 */
export type LatchkeyErrorCode = ErrorCode | 'invalid_input' | 'network_error' | 'timeout' | 'unexpected_answer';

/** One problem with the input. Both APIs' errors are converted to this form. */
export interface InputProblem {
  /** Name of the field, with dots if it is nested (`metadata.team`); null if the problem is not with a single field. */
  readonly field: string | null;
  /** A sentence for people. */
  readonly message: string;
  /** Kind of problem, for programs. Missing in errors of the private tokens API. */
  readonly type?: Problem['type'];
  /** Part of the request that the field is in, such as `body` or `query`. Missing in errors of the private tokens API. */
  readonly location?: string;
}

interface ErrorShape<Code extends LatchkeyErrorCode, Status extends number | undefined> extends Error {
  readonly name: 'LatchkeyError';
  /** What went wrong. Comparing it narrows the types of the other members. */
  readonly code: Code;
  /** HTTP status of the answer; undefined if there was no answer. */
  readonly status: Status;
  /** The answer's `X-Request-Id`, by which the service's log can be searched; undefined if there was none. */
  readonly requestId: string | undefined;
  /** What is wrong with the input; empty unless `code` is `invalid_input`. */
  readonly problems: readonly InputProblem[];
  /** Seconds to wait, from `Retry-After`; undefined if that was not sent or could not be read. */
  readonly retryAfterSeconds: number | undefined;
  /** Name, message and all members above, for logs. */
  toJSON(): object;
}

/** The service rejected the request and stated why. */
export interface RefusalError extends ErrorShape<ErrorCode, number> {
  readonly problems: readonly [];
}

/** The input is not valid. `status` is undefined if the client rejected the input before it sent anything. */
export interface InvalidInputError extends ErrorShape<'invalid_input', number | undefined> {
  readonly problems: readonly [InputProblem, ...InputProblem[]];
}

/** No answer came: the connection failed or broke, or an attempt took longer than `timeoutMs`. */
export interface NoAnswerError extends ErrorShape<'network_error' | 'timeout', undefined> {
  readonly requestId: undefined;
  readonly problems: readonly [];
  readonly retryAfterSeconds: undefined;
}

/** An answer that the API's contract does not describe, such as a proxy's HTML page; its `status` can be 200. */
export interface UnexpectedAnswerError extends ErrorShape<'unexpected_answer', number> {
  readonly problems: readonly [];
}

/**
 * The error that a call rejects with if the request, the service or the network is at fault. An aborted call rejects with
 * its signal's reason instead (by default an `AbortError`). Wrong use of the client gives a `TypeError`.
 *
 * Check `error instanceof LatchkeyError`, then compare `error.code`. The error contains no credential, header or body.
 */
export type LatchkeyError = RefusalError | InvalidInputError | NoAnswerError | UnexpectedAnswerError;

/** Constructor parameters of a `LatchkeyError`. */
export interface LatchkeyErrorParts {
  code: LatchkeyErrorCode;
  message: string;
  status?: number | undefined;
  requestId?: string | undefined;
  problems?: readonly InputProblem[];
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

interface LatchkeyErrorClass {
  new (parts: LatchkeyErrorParts): LatchkeyError;
  readonly prototype: LatchkeyError;
}

// A class cannot be a union type, so the cast gives `instanceof` the union that narrows.
export const LatchkeyError = class LatchkeyError extends Error {
  static {
    // On the prototype, so that the stack begins with this name, also in minified code.
    this.prototype.name = 'LatchkeyError';
  }

  readonly code: LatchkeyErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly problems: readonly InputProblem[];
  readonly retryAfterSeconds: number | undefined;

  constructor({ code, message, status, requestId, problems = [], retryAfterSeconds, cause }: LatchkeyErrorParts) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.problems = problems;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  toJSON(): object {
    const { name, message, code, status, requestId, problems, retryAfterSeconds } = this;
    return { name, message, code, status, requestId, problems, retryAfterSeconds };
  }
} as unknown as LatchkeyErrorClass;

/** The error for input that the client rejects before it sends anything. */
export function inputError(field: string, message: string): LatchkeyError {
  const problems = [{ field, message }];
  return new LatchkeyError({ code: 'invalid_input', message: messageOf(problems), problems });
}

export function messageOf(problems: readonly InputProblem[]): string {
  const parts = problems.map(({ field, message }) => (field === null ? message : `${field}: ${message}`));
  return `Invalid input: ${parts.join('; ')}`;
}
