import type { ErrorCode, Problem } from '../generated/types.gen.js';

/**
 * What went wrong: the contract's codes, bad input, and what happens where the service does not answer. A service that is
 * newer than this client may give further codes, as they are: leave a `default` to what switches over it.
 */
export type LatchkeyErrorCode = ErrorCode | 'invalid_input' | 'network_error' | 'timeout' | 'unexpected_answer';

/** One thing that is wrong with the input, in one form for both APIs. */
export interface InputProblem {
  /** The field, dotted where it is nested (`name`); null where no one field is at fault. */
  readonly field: string | null;
  /** A sentence for people. */
  readonly message: string;
  /** What kind of problem it is, for programs. The private tokens API does not say. */
  readonly type?: Problem['type'];
  /** The part of the request that the field is in. The private tokens API does not say. */
  readonly location?: string;
}

interface ErrorShape<Code extends LatchkeyErrorCode, Status extends number | undefined> extends Error {
  readonly name: 'LatchkeyError';
  /** What went wrong. Comparing it narrows the other members. */
  readonly code: Code;
  /** The answer's HTTP status; undefined where there was no answer. */
  readonly status: Status;
  /** The answer's `X-Request-Id`, which the service's log has too; undefined where there was none. */
  readonly requestId: string | undefined;
  /** What is wrong with the input; empty for every code but `invalid_input`. */
  readonly problems: readonly InputProblem[];
  /** Seconds that the service asked to wait (`Retry-After`); undefined where it did not ask, or not intelligibly. */
  readonly retryAfterSeconds: number | undefined;
  /** All of the above and the message, for logs. */
  toJSON(): object;
}

/** The service refused the request, and said why. */
export interface RefusalError extends ErrorShape<ErrorCode, number> {
  readonly problems: readonly [];
}

/** The input is not valid. `status` is undefined where the client refused it before anything was sent. */
export interface InvalidInputError extends ErrorShape<'invalid_input', number | undefined> {
  readonly problems: readonly [InputProblem, ...InputProblem[]];
}

/** No answer came: the connection failed or broke, or an attempt took longer than `timeoutMs`. */
export interface NoAnswerError extends ErrorShape<'network_error' | 'timeout', undefined> {
  readonly requestId: undefined;
  readonly problems: readonly [];
  readonly retryAfterSeconds: undefined;
}

/** An answer that the contract does not have, such as a proxy's HTML page; `status` may well be 200. */
export interface UnexpectedAnswerError extends ErrorShape<'unexpected_answer', number> {
  readonly problems: readonly [];
}

/**
 * The one error that a call rejects with on account of the request, the service or the network. An aborted call rejects
 * with its signal's reason instead, an `AbortError` by default, and a wrong use of the client with a `TypeError`.
 *
 * `error instanceof LatchkeyError` and then `error.code` narrow it. It holds no secret: no credential, header or body.
 */
export type LatchkeyError = RefusalError | InvalidInputError | NoAnswerError | UnexpectedAnswerError;

/** What a `LatchkeyError` is made from. */
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

// A class cannot be a union: the cast gives `instanceof` the type that narrows.
export const LatchkeyError = class LatchkeyError extends Error {
  static {
    // On the prototype, so that the stack begins with it, in minified code too.
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

/** Bad input that is refused before anything is sent. */
export function refusedInput(field: string, message: string): LatchkeyError {
  const problems = [{ field, message }];
  return new LatchkeyError({ code: 'invalid_input', message: messageOf(problems), problems });
}

export function messageOf(problems: readonly InputProblem[]): string {
  const parts = problems.map(({ field, message }) => (field === null ? message : `${field}: ${message}`));
  return `Invalid input: ${parts.join('; ')}`;
}
