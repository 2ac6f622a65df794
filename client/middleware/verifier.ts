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

/** Who sent a request that passed. It is frozen, and holds no plaintext. */
export interface Auth {
  readonly token: AccessToken;
  readonly owner: TokenOwner;
  /** Where the token stood. */
  readonly authMethod: AuthMethod;
}

/** A request that passes, with `auth` unless it may be anonymous, or the answer to one that does not. */
export type Decision = { passed: true; auth: Auth | undefined } | { passed: false; answer: RefusalAnswer };

/** Decides on the requests of a route. Rejects with what a callback of the options throws, and with nothing else. */
export type Guard = (request: GuardedRequest) => Promise<Decision>;

export interface VerifyOptions {
  /** Scopes that the token must have, all of them: at most 64. */
  scopes?: readonly string[] | undefined;
  /** Gives the question up; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface Verifier {
  /**
   * Asks whether `token` may pass now. What cannot be a token by its form or checksum is `malformed` without asking.
   *
   * Rejects with a `LatchkeyError` of the code `service_unavailable` and status 503 where the service could not be asked,
   * for whatever reason, which is its `cause`; never with a status of 401 or 403, whatever the service said to the verifier.
   */
  verify(token: string, options?: VerifyOptions): Promise<Verdict>;
  /** What the adapters are made of, for a framework that has none. Throws a `TypeError` for options that cannot be meant. */
  guard(options?: GuardOptions): Guard;
}

type Judgement = { passed: true; auth: Auth } | ({ passed: false } & Omit<Refusal, 'status' | 'scopes'>);

/** Seconds to wait that a client is told where the service does not say, and the most that it is told. */
const RETRY_AFTER = 1;
const LONGEST_RETRY_AFTER = 60;

/**
 * Makes what asks the service about the tokens that an API is sent: one for a process, shared by all its routes. It sends
 * nothing yet, and has nothing that must be closed.
 *
 * Throws a `TypeError` for options that cannot be meant.
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

  async function judge(request: GuardedRequest, scopes: readonly string[]): Promise<Judgement> {
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
        let judgement: Judgement;
        try {
          judgement = await judge(request, scopes);
        } catch (error) {
          if (!(error instanceof LatchkeyError)) throw error;
          onError?.(error, request.source);
          return { passed: false, answer: answers.unavailable(retryAfter(error)) };
        }
        if (judgement.passed) return judgement;
        const { passed, ...refusal } = judgement;
        if (optional && refusal.reason === 'missing') return { passed: true, auth: undefined };
        const answer = answers.refuse(refusal.reason, scopes);
        onRefusal?.({ status: answer.status as Refusal['status'], ...refusal, scopes }, request.source);
        return { passed, answer };
      };
    },
  };
}

/**
 * A verifier that asks the service at `LATCHKEY_URL` with `LATCHKEY_TOKEN`, which is never sent to another address.
 *
 * Throws a `TypeError` where one of them is not set, and for options that cannot be meant.
 */
createVerifier.fromEnvironment = (options: Omit<VerifierOptions, 'baseUrl' | 'token'> = {}): Verifier => {
  const { baseUrl, token } = readEnvironment(options);
  if (token === undefined) throw new TypeError('LATCHKEY_TOKEN is not set: a token with the scope tokens:verify');
  return createVerifier({ ...options, baseUrl, token });
};

/** One error for all that can go wrong: left to a framework, the status of its cause would refuse the client. */
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

/** Whole seconds. */
function retryAfter({ retryAfterSeconds = RETRY_AFTER }: LatchkeyError): number {
  return Math.min(Math.max(Math.ceil(retryAfterSeconds), RETRY_AFTER), LONGEST_RETRY_AFTER);
}
