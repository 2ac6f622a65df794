import type { Json } from './document/json.js';
import { CouldNotRun } from './errors.js';
import type { Phase } from './report/types.js';

/** A request that a hook gets, and may return changed. */
export interface HookRequest {
  method: string;
  /** Path and query, percent-encoded. */
  target: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

/** The test case that a request belongs to. */
export interface HookCase {
  /** The operationId, or `METHOD /path` if the document has none. */
  operation: string;
  phase: Phase;
  /** What the request tests, such as `body /name: longer than 255`. */
  name: string;
}

/** An answer that a hook gets. */
export interface HookAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body, if it is JSON; undefined otherwise. */
  value: Json | undefined;
}

/** What `setUp` prepared for a run. Each member replaces the option with the same name. */
export interface SetUp {
  token?: string;
  credentials?: Record<string, string>;
  login?: { username: string; password: string };
  headers?: Record<string, string>;
}

/**
 * Functions that a run calls, for what neither the document nor the configuration can express. If one throws, the run
 * rejects with `CouldNotRun`.
 */
export interface ContractHooks {
  /** Is called before the first request. Resolves with options that replace those of the run. */
  setUp?: (target: { url: string }) => Promise<SetUp | undefined> | SetUp | undefined;
  /** Is called before each request. Resolves with the request to send instead, such as a signed one. */
  request?: (request: HookRequest, about: HookCase) => Promise<HookRequest | undefined> | HookRequest | undefined;
  /** Is called after each answer. Resolves with messages, each of which becomes a fault of the check `hook`. */
  answer?: (
    answer: HookAnswer,
    about: HookCase & { request: HookRequest },
  ) => Promise<string | string[] | undefined> | string | string[] | undefined;
  /** Is called after the last request, also if the run failed. */
  tearDown?: () => Promise<void> | void;
}

/** Calls a hook. Rejects with `CouldNotRun` if it throws. */
export async function callHook<T>(name: keyof ContractHooks, call: () => Promise<T> | T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new CouldNotRun(`the hook ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
