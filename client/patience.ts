import { onAbort } from './abort.js';
import { isWaitUnclear } from './answer.js';
import { LatchkeyError } from './errors.js';
import { clearTimeout, setTimeout } from './timers.js';

/** Statuses of faults that may be gone at the next attempt. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
/** Milliseconds before the first retry, doubled for each further one up to the longest pause. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;
/** Seconds. If the service asks for a longer wait, the call rejects at once and its caller decides. */
const LONGEST_RETRY_AFTER = 60;

/** Runs `attempt` until it succeeds, fails permanently or has been retried `maxRetries` times. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  maxRetries: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (retries >= maxRetries || !(error instanceof LatchkeyError) || !mayPass(error)) throw error;
      await sleep(pauseBefore(retries, error.retryAfterSeconds), signal);
    }
  }
}

/** Whether the fault may be gone at the next attempt. */
export function mayPass(error: LatchkeyError): boolean {
  const { code, status, retryAfterSeconds = 0 } = error;
  const passing = status === undefined ? code === 'network_error' || code === 'timeout' : PASSING.has(status);
  return passing && retryAfterSeconds <= LONGEST_RETRY_AFTER && !isWaitUnclear(error);
}

/** Milliseconds to pause, at least as long as `Retry-After`. */
export function pauseBefore(retries: number, retryAfterSeconds = 0): number {
  const backoff = Math.min(FIRST_PAUSE * 2 ** retries, LONGEST_PAUSE);
  return Math.max(backoff * (1 - Math.random() / 4), retryAfterSeconds * 1_000);
}

/** Resolves after this number of milliseconds, or rejects with the reason of `signal`. */
export async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await until(pause, signal).finally(() => {
    clearTimeout(timer);
  });
}

/** Settles like `promise`, or rejects with the reason of `signal` when that is aborted first. */
export async function until<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  let forget = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's own
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else forget = onAbort(signal, stop);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    forget();
  }
}
