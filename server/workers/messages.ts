import type { Config } from '../config/config.js';
import type { RunningServer } from '../options.js';

// What the primary and its workers tell each other. Node's own messages of the cluster travel on the same channel.

export type ToWorker =
  | { kind: 'start'; config: Readonly<Config> }
  | { kind: 'stop' }
  /** Of the login attempt with this number: it may go on, or is refused for so many seconds. */
  | { kind: 'login'; id: number; refusedForSeconds?: number };

export type ToPrimary =
  /** From here on messages are heard; Node drops what comes earlier. */
  | { kind: 'up' }
  | ({ kind: 'listening' } & Pick<RunningServer, 'url' | 'firstUser'>)
  | { kind: 'failed'; failure: StartFailure }
  | LoginStep;

/** Steps of `LoginThrottle`; the numbers of attempts are the worker's own. */
export type LoginStep =
  | { kind: 'login'; id: number; step: 'attempt' | 'begin'; user: string; address: string }
  | { kind: 'login'; id: number; step: 'fail' | 'succeed' };

/** An error on its way between processes, with what the command tells errors apart by. */
export interface StartFailure {
  name: string;
  message: string;
  /** Of the system: what failed, why and where. */
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
