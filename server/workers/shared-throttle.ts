import type { LoginAttempt, LoginThrottle } from '../deps.js';
import { ServiceError, unavailable } from '../errors.js';
import { tooManyFailures } from '../users/login-throttle.js';
import type { LoginStep, ToWorker } from './messages.js';

/** The primary's throttle as a worker sees it. `receive` takes what the primary says to `send`'s questions. */
export function borrowThrottle(send: (step: LoginStep) => boolean): {
  throttle: LoginThrottle;
  receive(answer: ToWorker & { kind: 'login' }): void;
  /** When the primary is gone: what was asked gets no answer any more. */
  end(): void;
} {
  let last = 0;
  const waiting = new Map<number, Question>();

  async function ask(step: LoginStep): Promise<void> {
    const { refusedForSeconds } = await new Promise<ToWorker & { kind: 'login' }>((resolve, reject) => {
      waiting.set(step.id, { resolve, reject });
      if (send(step)) return;
      waiting.delete(step.id);
      reject(withoutPrimary());
    });
    if (refusedForSeconds !== undefined) throw tooManyFailures(refusedForSeconds);
  }

  return {
    throttle: {
      async attempt(user, address) {
        const id = ++last;
        await ask({ kind: 'login', id, step: 'attempt', user, address });
        return {
          begin: () => ask({ kind: 'login', id, step: 'begin', user, address }),
          fail: () => void send({ kind: 'login', id, step: 'fail' }),
          succeed: () => void send({ kind: 'login', id, step: 'succeed' }),
        };
      },
    },
    receive(answer) {
      const question = waiting.get(answer.id);
      waiting.delete(answer.id);
      question?.resolve(answer);
    },
    end() {
      for (const { reject } of waiting.values()) reject(withoutPrimary());
      waiting.clear();
    },
  };
}

interface Question {
  resolve(answer: ToWorker & { kind: 'login' }): void;
  reject(error: ServiceError): void;
}

/** Without the primary nobody counts, and the process is about to end. */
function withoutPrimary(): ServiceError {
  return unavailable('The service is about to stop.');
}

/** A worker's access to the primary's throttle. */
export interface Lending {
  take(step: LoginStep): Promise<void>;
  /** When the worker is gone: what it had begun counts as failed, since nobody says otherwise. */
  end(): void;
}

export function lendThrottle(throttle: LoginThrottle, send: (answer: ToWorker) => void): Lending {
  /** Those that have begun: an attempt that never gets its turn, since too many wait, leaves nothing here. */
  const attempts = new Map<number, LoginAttempt>();
  let hasEnded = false;

  async function begin(id: number, user: string, address: string): Promise<void> {
    const attempt = await throttle.attempt(user, address);
    await attempt.begin();
    if (hasEnded) attempt.fail();
    else attempts.set(id, attempt);
  }

  return {
    async take(taken) {
      const { id } = taken;
      try {
        switch (taken.step) {
          case 'attempt':
            await throttle.attempt(taken.user, taken.address);
            break;
          case 'begin':
            await begin(id, taken.user, taken.address);
            break;
          default:
            attempts.get(id)?.[taken.step]();
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
      for (const attempt of attempts.values()) attempt.fail();
      attempts.clear();
    },
  };
}
