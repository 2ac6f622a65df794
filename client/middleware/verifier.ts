import type { AccessToken, TokenOwner } from '../../generated/types.gen.js';
import { readEnvironment } from '../environment.js';
import { LatchkeyError } from '../errors.js';
import { createCache } from './cache.js';
import { isToken } from './form.js';
import { checkedGuard, checkedOptions, checkedScopes, type GuardOptions, type VerifierOptions } from './options.js';
import { createQuestions, type Question } from './questions.js';
import { createAnswers, type Refusal, type RefusalAnswer } from './refusal.js';
import { type AuthMethod, type GuardedRequest, isCrossSite, isPreflight, readCredential } from './request.js';
import { createService } from './service.js';
import { MALFORMED, type Verdict } from './verdict.js';

/** The token and owner that a request was authenticated with. It is frozen and contains no plaintext. */
export interface Auth {
  readonly token: AccessToken;
  readonly owner: TokenOwner;
  /** How the token was sent. */
  readonly authMethod: AuthMethod;
}

/** Whether a request is accepted. If it is, `auth` is undefined for an anonymous one; if not, `answer` is to be sent. */
export type Decision = { passed: true; auth: Auth | undefined } | { passed: false; answer: RefusalAnswer };

/** Checks the requests of a route. Rejects only if a callback of the options throws, and with that error. */
export type Guard = (request: GuardedRequest) => Promise<Decision>;

export interface VerifyOptions {
  /** Scopes that the token must have: all of them, at most 64. */
  scopes?: readonly string[] | undefined;
  /** Aborts the verification, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface Verifier {
  /**
   * Asks the service whether `token` is valid now. A text without the form or checksum of a token is `malformed`; it is not
   * sent to the service.
   *
   * Rejects with a `LatchkeyError` with code `service_unavailable` and status 503 if the service gave no verdict, for any
   * reason; `cause` is the reason. It never has status 401 or 403, even if the service rejected the verifier's own token.
   */
  verify(token: string, options?: VerifyOptions): Promise<Verdict>;
  /** Creates a guard, to write an adapter for another framework. Throws a `TypeError` for invalid options. */
  guard(options?: GuardOptions): Guard;
}

type Authentication = { passed: true; auth: Auth } | ({ passed: false } & Omit<Refusal, 'status' | 'scopes'>);

/** Seconds in `Retry-After` of a 503, if the service does not state a time, and the most that it ever says. */
const RETRY_AFTER = 1;
const LONGEST_RETRY_AFTER = 60;

/**
 * Creates a verifier, which asks the service about the tokens that an API receives. Create one for the process and share
 * it between all routes. It need not be closed.
 *
 * Throws a `TypeError` for invalid options.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { baseUrl, token, fetch, allowInsecureHttp, ...settings } = checkedOptions(options);
  const { cacheSeconds, cacheEntries, onRefusal, onError, authMethods, cookieName, trustedOrigins } = settings;
  const ask = createQuestions(createService({ baseUrl, token, fetch, allowInsecureHttp }), settings);
  const cache = cacheSeconds === 0 ? undefined : createCache({ seconds: cacheSeconds, entries: cacheEntries });
  const answers = createAnswers(settings.realm, settings.formatRefusal);

  async function verify(question: Question, signal?: AbortSignal): Promise<Verdict> {
    if (!isToken(question.token)) return MALFORMED;
    try {
      const key = await cache?.keyOf(question);
      const known = key === undefined ? undefined : cache?.get(key);
      if (known !== undefined) return known;
      const answered = await ask(question, signal);
      if (key !== undefined) cache?.put(key, answered);
      return answered.verdict;
    } catch (error) {
      signal?.throwIfAborted();
      throw unavailable(error);
    }
  }

  async function authenticate(request: GuardedRequest, scopes: readonly string[]): Promise<Authentication> {
    const credential = readCredential(request, authMethods, cookieName);
    if (typeof credential === 'string') {
      return { passed: false, reason: credential, authMethod: null, token: null, owner: null };
    }
    const { authMethod } = credential;
    if (authMethod === 'cookie' && isCrossSite(request, trustedOrigins)) {
      return { passed: false, reason: 'cross_site_request', authMethod, token: null, owner: null };
    }
    const verdict = await verify({ token: credential.token, scopes });
    const { valid, code, token, owner } = verdict;
    return valid
      ? { passed: true, auth: Object.freeze({ token, owner, authMethod }) }
      : { passed: false, reason: code, authMethod, token, owner };
  }

  return {
    verify: async (token, { scopes, signal } = {}) => await verify({ token, scopes: checkedScopes(scopes) }, signal),

    guard(route = {}) {
      const { scopes, optional } = checkedGuard(route);
      return async (request) => {
        if (settings.passPreflight === true && isPreflight(request)) return { passed: true, auth: undefined };
        let authentication: Authentication;
        try {
          authentication = await authenticate(request, scopes);
        } catch (error) {
          if (!(error instanceof LatchkeyError)) throw error;
          onError?.(error, request.source);
          return { passed: false, answer: answers.unavailable(retryAfter(error)) };
        }
        if (authentication.passed) return authentication;
        const { passed, ...refusal } = authentication;
        if (optional && refusal.reason === 'missing') return { passed: true, auth: undefined };
        const answer = answers.refuse(refusal.reason, scopes);
        onRefusal?.({ status: answer.status as Refusal['status'], ...refusal, scopes }, request.source);
        return { passed, answer };
      };
    },
  };
}

/**
 * Creates a verifier that asks the service at `LATCHKEY_URL` with `LATCHKEY_TOKEN`, which is never sent to another
 * address.
 *
 * Throws a `TypeError` if one of the variables is not set, and for invalid options.
 */
createVerifier.fromEnvironment = (options: Omit<VerifierOptions, 'baseUrl' | 'token'> = {}): Verifier => {
  const { baseUrl, token } = readEnvironment(options);
  if (token === undefined)
    throw new TypeError('LATCHKEY_TOKEN is not set: set it to a token with the scope tokens:verify');
  return createVerifier({ ...options, baseUrl, token });
};

/** Wraps any error as a 503. A framework might send the cause's own status, such as 401, to the client. */
function unavailable(cause: unknown): LatchkeyError {
  const { status, message, retryAfterSeconds } = (cause instanceof Error ? cause : {}) as Partial<LatchkeyError>;
  const subject =
    status === 401 || status === 403 ? "The verifier's own token was refused" : 'The token was not verified';
  return new LatchkeyError({
    code: 'service_unavailable',
    status: 503,
    message: `${subject}: ${message ?? 'an unknown error.'}`,
    retryAfterSeconds,
    cause,
  });
}

/** Whole seconds for the `Retry-After` of a 503. */
function retryAfter({ retryAfterSeconds = RETRY_AFTER }: LatchkeyError): number {
  return Math.min(Math.max(Math.ceil(retryAfterSeconds), RETRY_AFTER), LONGEST_RETRY_AFTER);
}
