import { CouldNotRun } from './errors.js';
import type { ContractOptions } from './options.js';
import type { Phase } from './report/types.js';
import type { Json } from './spec/json.js';

/** A request as a hook sees it, and as it is sent. */
export interface HookRequest {
  method: string;
  /** Path and query, percent-encoded. */
  target: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

/** What a request is sent for. */
export interface HookCase {
  /** The operationId, or `METHOD /path` where the document gives none. */
  operation: string;
  phase: Phase;
  /** What the case is about, such as `body /name: longer than 255`. */
  name: string;
}

export interface HookAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body, where it is JSON. */
  value: Json | undefined;
}

/** Functions that are called in a run, for what neither the document nor the configuration can say. */
export interface ContractHooks {
  /** Before the first request. What it resolves with is added to the options, such as a credential that it has made. */
  setUp?: (options: ContractOptions) => Promise<Partial<ContractOptions> | void> | Partial<ContractOptions> | void;
  /** Before each request. What it resolves with is sent instead, such as the request with a signature. */
  request?: (request: HookRequest, about: HookCase) => Promise<HookRequest | void> | HookRequest | void;
  /** After each answer. Each text that it resolves with is a fault of the check `hook`. */
  answer?: (
    answer: HookAnswer,
    about: HookCase & { request: HookRequest },
  ) => Promise<string | string[] | void> | string | string[] | void;
  /** After the last request, whatever the run has found. */
  tearDown?: () => Promise<void> | void;
}

/** Calls a hook; throws `CouldNotRun` where it throws. */
export async function callHook<T>(name: keyof ContractHooks, call: () => Promise<T> | T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new CouldNotRun(`the hook ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
