/**
 * How grave a finding is. A `fault` breaks the document, JSON Schema or a MUST of an RFC. A `warning` is about good
 * practice only and does not break the contract.
 */
export type Severity = 'fault' | 'warning';

/** What a check found wrong, with the smallest request that shows it. */
export interface ContractFinding {
  /** The finding's number in the report: `2` is a bug, `2.1` follows from it. */
  id: string;
  /** The `id` of the finding that this one follows from; undefined if it follows from none. */
  follows?: string;
  severity: Severity;
  /** The operationId, or `METHOD /path` if the document has none. */
  operation: string;
  method: string;
  path: string;
  /** The check that failed; `CHECKS` explains each. */
  check: Check;
  /** One sentence that says what is wrong. Every request that shows the fault gives the same sentence. */
  message: string;
  /** The phase of the run that found it. */
  phase: Phase;
  /** What the request tested, such as `body /name: longer than 255`. */
  case: string;
  /** What the contract requires. */
  expected: string;
  /** What the server sent: the status and the start of the body, with secrets masked. */
  received: string;
  /** The request as a curl command, with shell variables such as `$TOKEN` for secrets; empty if there is none. */
  curl: string;
  /** The seed that, together with `only`, reproduces the finding. */
  seed: number;
  /** The value of the option `only` that reproduces the finding; undefined if a whole run is needed. */
  only?: string;
  /** Number of answers that showed this finding. */
  occurrences: number;
}

/** Every check by name, with the rule that a server must follow. */
export const CHECKS = {
  answer: 'every request is answered in time',
  'server-error': 'no request makes the server fail (5xx)',
  status: 'every status is documented',
  body: 'every body fits its schema',
  headers: 'required headers are present, and every header fits its schema',
  'content-type': 'every media type is documented',
  refusal: 'a request that the schema forbids gets 4xx',
  acceptance: 'a request that the schema allows is accepted',
  authentication: 'a request without a valid credential gets 401, and every documented credential works',
  method: 'an undeclared method gets 405, with a correct Allow header',
  revocation: 'a revoked or deleted thing stays so, and its credential is rejected',
  expiry: 'an expired credential is rejected',
  secrets: 'only the answer that issues a secret contains it',
  paging: 'no page exceeds its limit, and pages neither repeat nor lose rows',
  filter: 'filters and sort orders work as documented',
  sequence: 'a created thing can be fetched and is listed, an edit is stored, and a new secret works',
  once: 'a request that is repeated with its Idempotency-Key takes effect once, and gets the first answer again',
  precondition: 'a request with a stale entity tag is rejected and changes nothing; one with the current tag succeeds',
  location: 'Location leads to the created thing',
  echo: 'the server returns each value as it was sent',
  unchanged: 'an edit or a rotation changes nothing else',
  place: 'an error names the member that is wrong',
  head: 'HEAD gets the headers of GET, and OPTIONS a correct Allow header',
  default: 'a member or parameter that is left out has its documented default',
  scopes: 'a credential without a documented scope is rejected, and creates no credential with more scopes',
  isolation: 'one identity can neither see nor change what another has created',
  bulk: 'a bulk operation changes only the things that it names, counts them, and changes nothing in a dry run',
  time: 'every answer arrives within the configured time',
  law: 'the server obeys the laws of the configuration',
  hook: 'the answer hook finds no fault',
  credential: 'the credential of the run stays valid',
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
  /** Milliseconds that the server took for all of these requests. */
  durationMs: number;
  /** The documented statuses, as the document writes them: `200`, `4XX`, `default`. */
  documented: string[];
  /** How often the server sent each status. */
  seen: Record<string, number>;
  /** Requests that were not sent, with the reason. */
  skipped: string[];
}

/** An operation that was not tested, or not in full. */
export interface Untested {
  operation: string;
  /** Why it was not tested, in one line. */
  reason: string;
  /** Whether the operation succeeded at least once, and so was tested in part. */
  succeeded: boolean;
}

/** What a run of the contract tests found. */
export interface ContractReport {
  /**
   * Whether the server keeps the contract: the run found no fault and is `complete`. With `allowIncomplete` the run
   * need not be complete. Warnings do not count.
   */
  held: boolean;
  /**
   * Whether every operation answered at least once with a documented 2xx or 3xx, and got all its planned requests.
   * Requests that the run's credential may not send, or that would end it, are left out and do not count; `operations`
   * and `notes` list them.
   */
  complete: boolean;
  /** Why the run stopped early, such as `stopped after 6.0 s`; undefined if it did not. */
  ended: string | undefined;
  /** The operations that make the run incomplete. */
  untested: Untested[];
  url: string;
  spec: { title: string; version: string; openapi: string };
  /** The seed of the random requests. Pass it to `testContract` or `--seed` to send the same requests again. */
  seed: number;
  startedAt: string;
  durationMs: number;
  requests: number;
  operations: OperationReport[];
  /** The faults, the gravest first. After each fault come those that follow from it. */
  failures: ContractFinding[];
  /** Findings about good practice only. A warning that follows from a fault has the fault's `id` in `follows`. */
  warnings: ContractFinding[];
  /** Remarks about the run, one line each, such as that an operation never succeeded. */
  notes: string[];
}

/** The progress of a run; `onProgress` gets it before every request. */
export interface ContractProgress {
  phase: Phase;
  operation: string;
  requests: number;
  /** Faults so far. */
  failures: number;
  /** Operations that have got all their planned requests, out of `operations`. */
  operationsDone: number;
  operations: number;
  /** The part of the planned steps of all operations that has ended, from 0 to 1. */
  share: number;
  elapsedMs: number;
  /** Estimated milliseconds until the run ends; never more than what is left of its time. */
  leftMs: number;
}
