import type { Expectation, Finding } from './checks/answer.js';
import type { Json } from './document/json.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';
import type { WireRequest } from './http/encode.js';
import type { Answer } from './http/send.js';
import type { Phase } from './report/types.js';

/** What a case is called, and what it demands beyond what the spec says of its request. */
export interface CaseInfo {
  phase: Phase;
  name: string;
  /** Instead of what the verdict on the request gives. */
  expectation?: Expectation;
  /** Whether the answer may have a status that is not documented, as of a method that the spec does not have. */
  outside?: boolean;
  /** Whether its idempotency key is sent as it is; else it is made anew, so that no request repeats another. */
  keepsKey?: boolean;
  /** Checks of its own, on top of those of every answer. */
  check?: (answer: Answer, value: Json | undefined) => Finding[];
}

export interface Exchange {
  /** The number of its request in the run, from 1. */
  ordinal: number;
  draft: Draft;
  wire: WireRequest;
  verdict: Verdict;
  /** Undefined where none came. */
  answer: Answer | undefined;
  /** The answer's body, where it is JSON. */
  value: Json | undefined;
  findings: Finding[];
}
