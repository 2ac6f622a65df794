/**
 * A fault is against the document, JSON Schema or what an RFC says MUST be. A warning is against good practice alone: it
 * does not break the contract.
 */
export type Severity = 'fault' | 'warning';

/** What a check found wrong, with the smallest request that shows it. */
export interface ContractFinding {
  /** Its number in the report: `2` is a bug, `2.1` follows from it. */
  id: string;
  /** The `id` of the finding that this one follows from; undefined of a bug of its own. */
  follows?: string;
  severity: Severity;
  /** The operationId, or `METHOD /path` where the spec gives none. */
  operation: string;
  method: string;
  path: string;
  /** Which promise is broken; one of `CHECKS`. */
  check: Check;
  /** What is wrong in one sentence, the same for every request that shows the same fault. */
  message: string;
  /** What kind of case found it. */
  phase: Phase;
  /** What the case was about, such as `body /name: longer than 255`. */
  case: string;
  /** What the contract demands. */
  expected: string;
  /** What came: the status, and the start of the body; secrets are masked. */
  received: string;
  /** The request as a curl command; secrets are `$TOKEN` and the like. */
  curl: string;
  /** Together with `only` it shows the finding again. */
  seed: number;
  /** What the run is to be narrowed to, for the finding to be there again; undefined where that is the run as it was. */
  only?: string;
  /** Answers with this fault, this one included. */
  occurrences: number;
}

/** Every check, with what it holds the server to. */
export const CHECKS = {
  answer: 'every request is answered in time',
  'server-error': 'no request makes the server fail (5xx)',
  status: 'every status is documented',
  body: 'every body fits its schema',
  headers: 'required headers are there, and fit their schemas',
  'content-type': 'the media type is a documented one',
  refusal: 'what the schema forbids is refused (4xx)',
  acceptance: 'what the schema allows is accepted',
  authentication: 'without a valid credential there is 401, and every documented credential works',
  method: 'an undeclared method is 405, with a truthful Allow',
  revocation: 'what is revoked or deleted stays so, and its credential opens nothing',
  expiry: 'an expired credential opens nothing',
  secrets: 'no answer tells a secret but the one that issues it',
  paging: 'pages keep to their limit, and neither repeat nor lose rows',
  filter: 'filters and orders are honoured',
  sequence: 'what is created can be fetched and is listed, what is edited stays so, a new secret opens something',
  once: 'a request that is repeated with its Idempotency-Key is done once, and gets one answer',
  precondition: 'a stale entity tag is refused and changes nothing, a current one passes',
  location: 'Location leads to what was made',
  echo: 'what was sent comes back as it was sent',
  unchanged: 'an edit or a rotation leaves everything else as it was',
  place: 'an error names the member that is wrong',
  head: 'HEAD is answered as GET is, and OPTIONS with a truthful Allow',
  default: 'what is left out counts as its documented default',
  scopes: 'a credential without a documented scope is refused, and what it creates is no wider',
  isolation: 'what one identity makes, another can neither see nor change',
  bulk: 'what is done to many things is done to these alone, is counted, and in a dry run is not done',
  time: 'every answer comes within the time that the configuration allows',
  law: 'the laws of the configuration are kept',
  hook: 'what the hook of an answer demands',
  credential: 'the credential of the run stays good',
} as const;

export type Check = keyof typeof CHECKS;

export const PHASES = [
  'setup',
  'first',
  'examples',
  'sequences',
  'lists',
  'coverage',
  'security',
  'methods',
  'fuzz',
] as const;
export type Phase = (typeof PHASES)[number];

export interface OperationReport {
  operation: string;
  method: string;
  path: string;
  tags: string[];
  requests: number;
  /** Milliseconds that the server took for all of them. */
  durationMs: number;
  /** The statuses that the spec documents, as it writes them: `200`, `4XX`, `default`. */
  documented: string[];
  /** How often each status was seen. */
  seen: Record<string, number>;
  /** What was left out, and why. */
  skipped: string[];
}

/** An operation that does not count as tested. */
export interface Untested {
  operation: string;
  /** Why not, in one line. */
  reason: string;
  /** Whether it has succeeded all the same, so that it is tested in part. */
  succeeded: boolean;
}

/** The outcome of a run. */
export interface ContractReport {
  /**
   * Whether there is no fault in what was tested, and everything was tested: a run that is not `complete` does not show
   * that the contract holds, unless `allowIncomplete` was set. Warnings do not count.
   */
  held: boolean;
  /**
   * Whether every operation answered at least once with a documented 2xx or 3xx, and got all the requests that were
   * planned for it. What the run's credential may not do, and what would end it, is left out; `operations` and `notes`
   * say what.
   */
  complete: boolean;
  /** Why the run ended before its end, such as `stopped after 6.0 s`; undefined where it did not. */
  ended: string | undefined;
  /** The operations that make the run incomplete. */
  untested: Untested[];
  url: string;
  spec: { title: string; version: string; openapi: string };
  /** Give it to `testContract` or `--seed` to run the same cases again. */
  seed: number;
  startedAt: string;
  durationMs: number;
  requests: number;
  operations: OperationReport[];
  /** The faults, the gravest first, and right behind each those that follow from it. */
  failures: ContractFinding[];
  /** What is against good practice alone; one that follows from a fault has the `id` of that in `follows`. */
  warnings: ContractFinding[];
  /** What a reader should know of the run, a line each, such as an operation that never succeeded. */
  notes: string[];
}

/** How far a run is. */
export interface ContractProgress {
  phase: Phase;
  operation: string;
  requests: number;
  /** Faults so far. */
  failures: number;
  /** Operations that have got all that was planned for them, of those that are tested. */
  operationsDone: number;
  operations: number;
  elapsedMs: number;
  /** Milliseconds until the run ends, as far as what is done tells; never more than its time. */
  leftMs: number;
}
