import type { VerificationRequest, VerifyAccessTokenData, VerifyAccessTokensData } from '../../generated/types.gen.js';
import { dataOf } from '../answer.js';
import { LatchkeyError } from '../errors.js';
import { exchange, type Fetch } from '../exchange.js';
import { until } from '../patience.js';
import { bearer, checkedBaseUrl, checkToken } from '../request.js';
import { dateNow, performanceNow } from '../timers.js';
import { nodeFetch } from './node-fetch.js';
import type { VerifierOptions } from './options.js';
import { isRecord, toVerdict, type Verdict } from './verdict.js';

export interface Answered {
  verdict: Verdict;
  /** When the question was sent, in milliseconds of `performanceNow()`. */
  sentAt: number;
  /** When it was answered, in milliseconds since 1970, by the service's clock or this one: whichever is ahead. */
  answeredAt: number;
}

/** Sends questions and resolves with their answers in the same order. */
export type Send = (questions: VerificationRequest[], signal: AbortSignal) => Promise<Answered[]>;

const VERIFY: VerifyAccessTokenData['url'] = '/api/v1/access-tokens/verify';
const VERIFY_BATCH: VerifyAccessTokensData['url'] = '/api/v1/access-tokens/verify-batch';

/**
 * Creates the function that sends questions to the service at `baseUrl`: one question as a verification, several as a
 * batch. Throws a `TypeError` for an invalid `baseUrl` or `token`.
 */
export function createService(
  options: Pick<VerifierOptions, 'baseUrl' | 'token' | 'fetch' | 'allowInsecureHttp'>,
): Send {
  const { token, fetch, allowInsecureHttp = false } = options;
  const baseUrl = checkedBaseUrl(options.baseUrl, allowInsecureHttp);
  checkToken(token);
  const globalFetch: Fetch = (url, init) => globalThis.fetch(url, init);
  const usual = fetch ?? nodeFetch({ anew: false }) ?? globalFetch;
  const anew = fetch ?? nodeFetch({ anew: true }) ?? globalFetch;

  async function post(send: Fetch, questions: VerificationRequest[], signal: AbortSignal) {
    const own = (typeof token === 'function' ? await until(Promise.resolve(token()), signal) : token) ?? '';
    const [path, body] = questions.length === 1 ? [VERIFY, questions[0]] : [VERIFY_BATCH, { tokens: questions }];
    const headers = { 'content-type': 'application/json', authorization: bearer(own) };
    const outgoing = { method: 'POST', url: baseUrl + path, headers, body: JSON.stringify(body) };
    const mask = (text: string) =>
      [own, ...questions.map((question) => question.token)].reduce(
        (masked, secret) => masked.replaceAll(secret, '[hidden]'),
        text,
      );
    // No time-out here: each question has its own.
    const answer = await exchange(send, outgoing, 0, signal, mask);
    const data = dataOf(answer, { mediaType: 'application/json', forbidden: 'insufficient_scope' }, mask);
    return { data, date: answer.headers.get('Date') };
  }

  return async (questions, signal) => {
    const sentAt = performanceNow();
    const { data, date } = await post(usual, questions, signal).catch((error: unknown) => {
      // The server may have closed an idle connection. A second verification changes nothing.
      if (error instanceof LatchkeyError && error.code === 'network_error') return post(anew, questions, signal);
      throw error;
    });
    const results = questions.length === 1 ? [data] : isRecord(data) ? data['results'] : undefined;
    if (!Array.isArray(results) || results.length !== questions.length) {
      throw new LatchkeyError({
        code: 'unexpected_answer',
        status: 200,
        message: 'Unexpected answer, not in the contract: the number of verdicts differs from the number of tokens.',
      });
    }
    const answeredAt = latest(date);
    return results.map((result) => ({ verdict: toVerdict(result), sentAt, answeredAt }));
  };
}

/** The later of the service's time and ours. `date` is cut to whole seconds, so up to a second is added. */
function latest(date: string | null): number {
  const theirs = Date.parse(date ?? '') + 1_000;
  return Number.isNaN(theirs) ? dateNow() : Math.max(dateNow(), theirs);
}
