import type { Finding } from './checks/answer.js';
import type { Operation, Spec } from './document/model.js';
import type { CaseInfo, Exchange } from './exchange.js';
import { createExtent, type Extent } from './extent.js';
import type { Draft } from './http/draft.js';
import type { WireRequest } from './http/encode.js';
import type { Secrets } from './http/secrets.js';
import { toCurl } from './report/curl.js';
import { fold, MOST_ANSWERS, type Sighting } from './report/fold.js';
import type {
  Check,
  ContractFinding,
  ContractProgress,
  ContractReport,
  OperationReport,
  Phase,
} from './report/types.js';
import { dateNow } from './timers.js';

/** Collects the requests, answers and findings of a run, and makes the report from them. */
export interface RunRecord {
  /** Sets the value of the option `only` that reproduces the findings from now on; undefined for a whole run. */
  begin(only: string | undefined): void;
  /** Counts a request that is about to be sent. Returns its number in the run, from 1. */
  sending(operation: Operation, phase: Phase): number;
  /** Counts an answer: its status, undefined if none came, and the milliseconds that it took. */
  received(operation: Operation, status: number | undefined, tookMs: number): void;
  /** Records the findings of an exchange. The same fault is reported once, with its smallest request. */
  add(info: CaseInfo, exchange: Exchange): void;
  /** Records a finding about several exchanges, with the last of them. */
  fail(info: CaseInfo, exchange: Exchange, finding: Finding): void;
  isKnown(operation: Operation, finding: Finding): boolean;
  /** Whether any request of the operation got a 2xx. */
  hasSucceeded(operation: Operation): boolean;
  /** Records that some requests of an operation are not sent, and why. */
  skip(operation: Operation, why: string): void;
  /** Adds a note to the report: one line about the run that is not a finding. */
  note(text: string): void;
  /** Which operations have been tested so far. */
  extent: Extent;
  /** Marks the run as stopped early and incomplete, with the reason. The first reason counts. */
  stop(why: string): void;
  /** Stops the run with a fault, because later results would mean nothing, such as after the loss of the credential. */
  abort(check: 'credential' | 'answer', message: string): void;
  /** Number of faults so far. */
  faults(): number;
  finish(): ContractReport;
}

interface RecordOptions {
  spec: Spec;
  operations: Operation[];
  /** The operations that are never called, and why. */
  leftOut: Record<string, string>;
  base: URL;
  seed: number;
  secrets: Secrets;
  /** The request with labels in place of its credentials. */
  shown: (draft: Draft) => WireRequest;
  /** The checks that are run. */
  counts: ReadonlySet<Check>;
  /** The option `only` of the run. */
  only: string | undefined;
  startedAt: number;
  /** Milliseconds that the whole run may take. */
  timeMs: number;
  allowIncomplete: boolean;
  onProgress: ((progress: ContractProgress) => void) | undefined;
}

/** Characters of an answer's body that the report shows. */
const LONGEST_BODY = 600;

export function createRecord({
  spec,
  operations,
  leftOut,
  base,
  seed,
  secrets,
  shown,
  counts,
  only: narrowed,
  startedAt,
  timeMs,
  allowIncomplete,
  onProgress,
}: RecordOptions): RunRecord {
  const reports = new Map<string, OperationReport>(operations.map((operation) => [operation.id, reportOf(operation)]));
  const found = new Map<string, Sighting & { size: number }>();
  const notes = [...spec.remarks];
  let requests = 0;
  let only = narrowed;
  let faults = 0;
  const extent = createExtent(operations);
  let ended: string | undefined;

  function fail(info: CaseInfo, { ordinal, draft, wire, answer }: Exchange, finding: Finding): void {
    const { check, message, expected, severity = 'fault' } = finding;
    if (!counts.has(check)) return;
    const { operation } = draft;
    // A fault of an operation that only prepares for a selected one is reported under its own name.
    const key = keyOf(operation, { check, message });
    const size = wire.target.length + (wire.body?.byteLength ?? 0) + JSON.stringify(wire.headers).length;
    const known = found.get(key);
    const occurrences = (known?.finding.occurrences ?? 0) + 1;
    const answers = known?.answers ?? new Set();
    if (answers.size < MOST_ANSWERS) answers.add(ordinal);
    if (known && known.size <= size) {
      known.finding.occurrences = occurrences;
      return;
    }
    const told: ContractFinding = {
      id: '',
      severity,
      operation: operation.id,
      method: wire.method,
      path: operation.path,
      check,
      message: secrets.mask(message),
      phase: info.phase,
      case: secrets.mask(info.name),
      expected: secrets.mask(expected),
      received: answer === undefined ? 'nothing' : secrets.mask(show(answer)),
      curl: toCurl(shown(draft), base, secrets),
      seed,
      ...toOnly(only),
      occurrences,
    };
    if (known === undefined && severity === 'fault') faults++;
    found.set(key, { finding: told, answers, size });
  }

  /** Records a fault of the run as a whole. */
  function failRun(check: Check, message: string, expected: string): void {
    const finding: ContractFinding = {
      id: '',
      severity: 'fault',
      operation: 'the run',
      method: '',
      path: '',
      check,
      message,
      phase: 'setup',
      case: 'the run as a whole',
      expected,
      received: 'see the table of statuses',
      curl: '',
      seed,
      ...toOnly(only),
      occurrences: 1,
    };
    found.set(`run\n${check}`, { finding, answers: new Set(), size: 0 });
  }

  return {
    begin(part) {
      only = part ?? narrowed;
    },
    sending(operation, phase) {
      requests++;
      const report = reports.get(operation.id);
      if (report) report.requests++;
      const elapsedMs = dateNow() - startedAt;
      if (onProgress) {
        const { operations: operationsDone, share } = extent.done();
        const leftMs = Math.min(timeMs - elapsedMs, share > 0 ? (elapsedMs * (1 - share)) / share : timeMs);
        const counts = { requests, failures: faults, operationsDone, operations: reports.size, share };
        onProgress({ phase, operation: operation.id, ...counts, elapsedMs, leftMs: Math.max(0, leftMs) });
      }
      return requests;
    },
    received(operation, status, tookMs) {
      const report = reports.get(operation.id);
      if (report === undefined) return;
      report.durationMs += tookMs;
      if (status !== undefined) report.seen[String(status)] = (report.seen[String(status)] ?? 0) + 1;
    },
    add(info, exchange) {
      for (const finding of exchange.findings) fail(info, exchange, finding);
    },
    fail,
    isKnown: (operation, finding) => found.has(keyOf(operation, finding)),
    hasSucceeded: ({ id }) => Object.keys(reports.get(id)?.seen ?? {}).some((status) => status.startsWith('2')),
    skip(operation, why) {
      const skipped = reports.get(operation.id)?.skipped;
      if (skipped && !skipped.includes(why)) skipped.push(why);
    },
    note(text) {
      if (!notes.includes(text)) notes.push(text);
    },
    extent,
    stop(why) {
      ended ??= why;
    },
    abort(check, message) {
      ended ??= message;
      failRun(check, message, 'a run that reaches its end');
    },
    faults: () => faults,
    finish() {
      const findings = fold([...found.values()]);
      const failures = findings.filter(({ severity }) => severity === 'fault');
      const all = [...reports.values()];
      const untested = extent.untested(all, ended);
      const complete = untested.length === 0 && ended === undefined;
      return {
        held: failures.length === 0 && (complete || allowIncomplete),
        complete,
        ended,
        untested,
        url: base.href,
        spec: { title: spec.title, version: spec.version, openapi: spec.openapi },
        seed,
        startedAt: new Date(startedAt).toISOString(),
        durationMs: dateNow() - startedAt,
        requests,
        operations: [...all, ...spec.leftOut.map((operation) => leftOutReport(operation, leftOut[operation.id]))],
        failures,
        warnings: findings.filter(({ severity }) => severity === 'warning'),
        notes: [
          ...notes,
          ...extent.forbidden(all),
          ...all
            .filter(wasThrottled)
            .map(({ operation }) => `${operation} was throttled: more than a fifth of its answers were 429`),
        ],
      };
    },
  };
}

function keyOf(operation: Operation, { check, message }: Pick<Finding, 'check' | 'message'>): string {
  return `${operation.id}\n${check}\n${message}`;
}

function reportOf({ id, method, path, tags, answers }: Operation): OperationReport {
  const documented = answers.map(({ status }) => status);
  return { operation: id, method, path, tags, requests: 0, durationMs: 0, documented, seen: {}, skipped: [] };
}

function leftOutReport(operation: Operation, why = ''): OperationReport {
  return { ...reportOf(operation), skipped: [`left out: ${why}`] };
}

function toOnly(only: string | undefined): Pick<ContractFinding, 'only'> {
  return only === undefined ? {} : { only };
}

/** Whether so many answers of an operation were 429 that its results mean little. */
function wasThrottled({ seen, requests }: OperationReport): boolean {
  return (seen['429'] ?? 0) > requests / 5;
}

function show({ status, headers, text }: NonNullable<Exchange['answer']>): string {
  const rest = text.length - LONGEST_BODY;
  const body = rest > 0 ? `${text.slice(0, LONGEST_BODY)}… (${String(rest)} more)` : text;
  const allow = headers['allow'] === undefined ? '' : `, Allow: ${headers['allow']}`;
  return `${String(status)}${headers['content-type'] ? ` ${headers['content-type']}` : ''}${allow}${body === '' ? '' : `\n${body}`}`;
}
