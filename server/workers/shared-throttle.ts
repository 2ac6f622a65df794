import { ServiceError, unavailable } from '../errors.js';
import { type LoginAttempt, type LoginThrottle, tooManyFailures } from '../users/login-throttle.js';
import type { LoginStep, ToWorker } from './messages.js';

/** The primary's throttle as a worker sees it. `receive` takes what the primary says to `send`'s questions. */
export function borrowThrottle(send: (step: LoginStep) => boolean): {
  throttle: LoginThrottle;
  receive(answer: ToWorker & { kind: 'login' }): void;
} {
  let last = 0;
  const waiting = new Map<number, (answer: ToWorker & { kind: 'login' }) => void>();

  async function ask(step: LoginStep): Promise<void> {
    const { refusedForSeconds } = await new Promise<ToWorker & { kind: 'login' }>((resolve, reject) => {
      waiting.set(step.id, resolve);
      if (send(step)) return;
      waiting.delete(step.id);
      // Without the primary nobody counts, and the process is about to end.
      reject(unavailable('The service is about to stop.'));
    });
    if (refusedForSeconds !== undefined) throw tooManyFailures(refusedForSeconds);
  }

  return {
    throttle: {
      async attempt(user, address) {
        const id = ++last;
        await ask({ kind: 'login', id, step: 'attempt', user, address });
        return {
          begin: () => ask({ kind: 'login', id, step: 'begin' }),
          fail: () => void send({ kind: 'login', id, step: 'fail' }),
          succeed: () => void send({ kind: 'login', id, step: 'succeed' }),
        };
      },
    },
    receive(answer) {
      const resolve = waiting.get(answer.id);
      waiting.delete(answer.id);
      resolve?.(answer);
    },
  };
}

/** A worker's access to the primary's throttle. */
export interface Lending {
  take(step: LoginStep): Promise<void>;
  /** When the worker is gone: what it had begun counts as failed, since nobody says otherwise. */
  end(): void;
}

export function lendThrottle(throttle: LoginThrottle, send: (answer: ToWorker) => void): Lending {
  const attempts = new Map<number, { attempt: LoginAttempt; hasBegun: boolean }>();
  let hasEnded = false;

  async function begin(id: number): Promise<void> {
    const entry = attempts.get(id);
    if (entry === undefined) return;
    try {
      await entry.attempt.begin();
    } catch (error) {
      attempts.delete(id);
      throw error;
    }
    entry.hasBegun = true;
    if (hasEnded) entry.attempt.fail();
  }

  return {
    async take(taken) {
      const { id } = taken;
      try {
        switch (taken.step) {
          case 'attempt':
            attempts.set(id, { attempt: await throttle.attempt(taken.user, taken.address), hasBegun: false });
            break;
          case 'begin':
            await begin(id);
            break;
          default:
            attempts.get(id)?.attempt[taken.step]();
            attempts.delete(id);
            return;
        }
        send({ kind: 'login', id });
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        send({ kind: 'login', id, refusedForSeconds: Number(error.headers['Retry-After']) });
      }
    },
    end() {
      hasEnded = true;
      for (const { attempt, hasBegun } of attempts.values()) if (hasBegun) attempt.fail();
      attempts.clear();
    },
  };
}
