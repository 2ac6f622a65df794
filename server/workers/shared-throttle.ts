import type { LoginAttempt, LoginThrottle } from '../deps.js';
import { ServiceError, unavailable } from '../errors.js';
import { tooManyFailures } from '../users/login-throttle.js';
import type { LoginStep, ToWorker } from './messages.js';

type Decision = ToWorker & { kind: 'login' };

/** Creates a worker's `LoginThrottle`, which sends each step to the primary and waits for its decision. */
export function createRemoteThrottle(send: (step: LoginStep) => boolean): {
  throttle: LoginThrottle;
  /** Accepts a decision of the primary. */
  receive(decision: Decision): void;
  /** Rejects the steps that wait for a decision, when the primary has ended. */
  end(): void;
} {
  let last = 0;
  const waiting = new Map<number, Waiter>();

  async function ask(step: LoginStep): Promise<void> {
    const { retryAfterSeconds } = await new Promise<Decision>((resolve, reject) => {
      waiting.set(step.id, { resolve, reject });
      if (send(step)) return;
      waiting.delete(step.id);
      reject(withoutPrimary());
    });
    if (retryAfterSeconds !== undefined) throw tooManyFailures(retryAfterSeconds);
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
    receive(decision) {
      const waiter = waiting.get(decision.id);
      waiting.delete(decision.id);
      waiter?.resolve(decision);
    },
    end() {
      for (const { reject } of waiting.values()) reject(withoutPrimary());
      waiting.clear();
    },
  };
}

interface Waiter {
  resolve(decision: Decision): void;
  reject(error: ServiceError): void;
}

/** The primary counts failed log-ins. When it has ended, this worker stops too. */
function withoutPrimary(): ServiceError {
  return unavailable('The service is about to stop.');
}

/** One worker's access to the primary's throttle. */
export interface SharedThrottle {
  /** Executes a step of the worker and sends it the decision. */
  take(step: LoginStep): Promise<void>;
  /** Counts the worker's unfinished attempts as failed, when it has ended. */
  end(): void;
}

/** Creates, in the primary, one worker's access to `throttle`. */
export function shareThrottle(throttle: LoginThrottle, send: (decision: ToWorker) => void): SharedThrottle {
  /** Attempts that have begun. Those rejected before they begin are not stored. */
  const attempts = new Map<number, LoginAttempt>();
  let hasEnded = false;

  async function begin(id: number, user: string, address: string | null): Promise<void> {
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
        send({ kind: 'login', id, retryAfterSeconds: Number(error.headers['Retry-After']) });
      }
    },
    end() {
      hasEnded = true;
      for (const attempt of attempts.values()) attempt.fail();
      attempts.clear();
    },
  };
}
