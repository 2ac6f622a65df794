import type { Config } from '../config/config.js';
import type { RunningServer } from '../options.js';

// Messages between the primary and its workers. Node's own cluster messages use the same channel.

export type ToWorker = { kind: 'start'; config: Readonly<Config> } | { kind: 'stop' };

export type ToPrimary =
  /** The worker now receives messages; Node drops those sent earlier. */
  | { kind: 'up' }
  | ({ kind: 'listening' } & Pick<RunningServer, 'url' | 'firstUser'>)
  | { kind: 'failed'; failure: StartFailure };

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
