import type { CaseInfo } from './exchange.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';
import type { Answer } from './http/send.js';
import type { Phase } from './report/types.js';

/** A request that a run would send. */
export interface PlannedRequest {
  operation: string;
  phase: Phase;
  /** What the request would test, such as `body /name: longer than 255`. */
  case: string;
  /** The request as a curl command, with shell variables such as `$TOKEN` for secrets. */
  curl: string;
}

/** Stands in for the server, so that a run sends nothing. */
export interface DryRun {
  /** The answer that the document describes for a request. */
  answer(draft: Draft, verdict: Verdict, info: CaseInfo): Answer;
  /** Is called with each request of the run. */
  saw(request: PlannedRequest): void;
}
