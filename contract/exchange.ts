import type { Expectation, Finding } from './checks/answer.js';
import type { Json } from './document/json.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';
import type { WireRequest } from './http/encode.js';
import type { Answer } from './http/send.js';
import type { Phase } from './report/types.js';

/** The name of a test case, and what it expects beyond what the document says about its request. */
export interface CaseInfo {
  phase: Phase;
  name: string;
  /** The expected kind of status; by default it follows from the verdict on the request. */
  expectation?: Expectation;
  /** Whether an undocumented status is allowed, such as for a method that the document does not have. */
  outside?: boolean;
  /** Whether its `Idempotency-Key` is sent unchanged. By default the run sends a new key with each request. */
  keepsKey?: boolean;
  /** Whether it is sent at once, even if another request of the run has no answer yet. */
  atOnce?: boolean;
  /** Further checks of the answer. */
  check?: (answer: Answer, value: Json | undefined) => Finding[];
}

/** A request with its answer and the findings about it. */
export interface Exchange {
  /** The number of the request in the run, from 1. */
  ordinal: number;
  draft: Draft;
  wire: WireRequest;
  verdict: Verdict;
  /** Undefined if none came. */
  answer: Answer | undefined;
  /** The answer's body, if it is JSON; undefined otherwise. */
  value: Json | undefined;
  findings: Finding[];
}
