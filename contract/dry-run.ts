import type { CaseInfo } from './exchange.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';
import type { Answer } from './http/send.js';
import type { Phase } from './report/types.js';

/** A request that a run would send. */
export interface PlannedRequest {
  operation: string;
  phase: Phase;
  case: string;
  /** The request as a curl command; secrets are `$TOKEN` and the like. */
  curl: string;
}

/** Answers for the server, so that nothing is sent. */
export interface DryRun {
  answer(draft: Draft, verdict: Verdict, info: CaseInfo): Answer;
  saw(request: PlannedRequest): void;
}
