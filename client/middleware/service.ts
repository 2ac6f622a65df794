import type { VerificationRequest } from '../../generated/types.gen.js';
import { LatchkeyError } from '../errors.js';
import type { Answer } from '../operations.js';
import { createTransport, type LatchkeyOptions } from '../transport.js';
import { nodeFetch } from './node-fetch.js';
import { isRecord, toVerdict, type Verdict } from './verdict.js';

export interface Answered {
  verdict: Verdict;
  /** When the question was sent, on the clock of `performance.now()`. */
  sentAt: number;
  /** The time of day when it was answered, in milliseconds since 1970: the service's clock or ours, whichever is ahead. */
  answeredAt: number;
}

/** Sends questions, and resolves with an answer to each in their order. */
export type Send = (questions: VerificationRequest[], signal: AbortSignal) => Promise<Answered[]>;

type ServiceOptions = Pick<LatchkeyOptions, 'baseUrl' | 'token' | 'fetch' | 'allowInsecureHttp'>;

/** The service at `baseUrl`: one question is a verification, several are a batch. */
export function createService(options: ServiceOptions): Send {
  const usual = createPost({ ...options, fetch: options.fetch ?? nodeFetch({ anew: false }) });
  const anew = createPost({ ...options, fetch: options.fetch ?? nodeFetch({ anew: true }) });

  return async (questions, signal) => {
    const sentAt = performance.now();
    const { data, headers } = await usual(questions, signal).catch((error: unknown) => {
      // A connection that was kept open dies unnoticed; asking twice changes nothing.
      if (error instanceof LatchkeyError && error.code === 'network_error') return anew(questions, signal);
      throw error;
    });
    const results = questions.length === 1 ? [data] : isRecord(data) ? data['results'] : undefined;
    if (!Array.isArray(results) || results.length !== questions.length) {
      throw new LatchkeyError({
        code: 'unexpected_answer',
        status: 200,
        message: 'An answer that the contract does not have: not one verdict for each token.',
      });
    }
    const answeredAt = latest(headers.get('Date'));
    return results.map((result) => ({ verdict: toVerdict(result), sentAt, answeredAt }));
  };
}

function createPost(options: ServiceOptions) {
  // Who asks has a time-out for all of it.
  const { send } = createTransport({ ...options, timeoutMs: 0, maxRetries: 0 });
  return async (questions: VerificationRequest[], signal: AbortSignal): Promise<Answer<unknown>> => {
    const [first] = questions;
    return questions.length === 1
      ? await send('verifyAccessToken', { body: first, signal })
      : await send('verifyAccessTokens', { body: { tokens: questions }, signal });
  };
}

/** `date` is cut to whole seconds: it may be almost one more. */
function latest(date: string | null): number {
  const theirs = Date.parse(date ?? '') + 1_000;
  return Number.isNaN(theirs) ? Date.now() : Math.max(Date.now(), theirs);
}
