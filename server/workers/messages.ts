import type { Config } from '../config/config.js';
import type { RunningServer } from '../options.js';

// Messages between the primary and its workers. Node's own cluster messages use the same channel.

export type ToWorker =
  | { kind: 'start'; config: Readonly<Config> }
  | { kind: 'stop' }
  /** Decision on the log-in attempt `id`: it may continue, or must wait `retryAfterSeconds`. */
  | { kind: 'login'; id: number; retryAfterSeconds?: number };

export type ToPrimary =
  /** The worker now receives messages; Node drops those sent earlier. */
  | { kind: 'up' }
  | ({ kind: 'listening' } & Pick<RunningServer, 'url' | 'firstUser'>)
  | { kind: 'failed'; failure: StartFailure }
  | LoginStep;

/** A step of `LoginThrottle`. Each worker numbers its attempts itself. */
export type LoginStep =
  | { kind: 'login'; id: number; step: 'attempt' | 'begin'; user: string; address: string | null }
  | { kind: 'login'; id: number; step: 'fail' | 'succeed' };

/** An error in the form that is sent between processes, with the members that the command distinguishes errors by. */
export interface StartFailure {
  name: string;
  message: string;
  /** Members of a system error: `code`, `syscall`, `address` and `port`. */
  system?: Record<string, unknown>;
}

export function toFailure(error: unknown): StartFailure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  return { name, message, ...(syscall !== undefined && { system: { code, syscall, address, port } }) };
}

export function fromFailure({ name, message, system }: StartFailure): Error {
  return Object.assign(new Error(message), { name, ...system });
}
