import type { Json } from './document/json.js';
import { CouldNotRun } from './errors.js';
import type { Phase } from './report/types.js';

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

/** What a hook has made ready for a run. */
export interface SetUp {
  token?: string;
  credentials?: Record<string, string>;
  login?: { username: string; password: string };
  headers?: Record<string, string>;
}

/** Functions that are called in a run, for what neither the document nor the configuration can say. */
export interface ContractHooks {
  /** Before the first request. What it resolves with counts as if it had been in the options. */
  setUp?: (target: { url: string }) => Promise<SetUp | undefined> | SetUp | undefined;
  /** Before each request. What it resolves with is sent instead, such as the request with a signature. */
  request?: (request: HookRequest, about: HookCase) => Promise<HookRequest | undefined> | HookRequest | undefined;
  /** After each answer. Each text that it resolves with is a fault of the check `hook`. */
  answer?: (
    answer: HookAnswer,
    about: HookCase & { request: HookRequest },
  ) => Promise<string | string[] | undefined> | string | string[] | undefined;
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
