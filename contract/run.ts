import { checkByHook, checkTime, createAnswerChecks } from './answer-checks.js';
import type { Finding } from './checks/answer.js';
import { compileAll } from './compile.js';
import type { Json } from './document/json.js';
import { loadDocument } from './document/load.js';
import type { Operation, Spec } from './document/model.js';
import { isPasswordName } from './document/names.js';
import { pointersOf, readSpec } from './document/read.js';
import type { DryRun } from './dry-run.js';
import { CouldNotRun, OutOfTime } from './errors.js';
import type { CaseInfo, Exchange } from './exchange.js';
import { callHook, type HookCase } from './hooks.js';
import { createRequestJudge, type Verdict } from './http/decode.js';
import { asksToWait, type Draft } from './http/draft.js';
import { encode, type WireRequest } from './http/encode.js';
import { createSecrets, type Secrets } from './http/secrets.js';
import { type Answer, createTransport, TooLate } from './http/send.js';
import { createJudge, type Judge } from './judge.js';
import { createKeys, type Keys } from './keys.js';
import { headerLabel } from './labels.js';
import type { ContractOptions } from './options.js';
import { createRecord, type RunRecord } from './record.js';
import { toCurl } from './report/curl.js';
import type { Check } from './report/types.js';
import { leftOutOf, selectChecks, selectOperations, withoutLeftOut } from './selection.js';
import { dateNow, performanceNow } from './timers.js';
import { createTurns } from './turns.js';
import { type ConfiguredValue, readValues } from './values.js';
import type { Vigil } from './vigil.js';

/** Everything that the phases of a run share. */
export interface Run {
  options: ContractOptions;
  spec: Spec;
  judge: Judge;
  keys: Keys;
  base: URL;
  seed: number;
  /** Whether this is a dry run, which sends nothing. */
  isDryRun: boolean;
  /** The operations that are tested. `spec.operations` has all operations that may be called. */
  operations: Operation[];
  secrets: Secrets;
  record: RunRecord;
  /** The configured values of an operation's parameters and body members. */
  valuesOf(operation: Operation): ConfiguredValue[];
  /**
   * JSON pointers of the credentials that an operation issues, in its answer, by operationId; empty if it issues none.
   */
  issues: Map<string, string[]>;
  /** Sends a request and checks the answer. Does not record the findings. */
  attempt(draft: Draft, info: CaseInfo): Promise<Exchange>;
  /** Sends a request, checks the answer, and records the findings. */
  send(draft: Draft, info: CaseInfo): Promise<Exchange>;
  judgeRequest(draft: Draft): Verdict;
  /** The bytes of a request. Two drafts with the same bytes test the same. */
  wireOf(draft: Draft): WireRequest;
  /** From now on, each exchange is shown to the vigil, and a request throws `OutOfTime` once it ends the run. */
  watchWith(vigil: Vigil): void;
  /** Ends the run with a fault, because later results would mean nothing. */
  abort(check: 'credential' | 'answer', message: string): void;
  /** From now on, a request throws `OutOfTime` once the time of the run is over. */
  watchTime(): void;
  /** Whether the time of the run is over, `maxFaults` is reached, or the run was aborted. */
  outOfTime(): boolean;
  /**
   * Calls functions that send a request each, in order. While the server works on one request, the next is prepared and
   * the answer before is checked.
   */
  inOrder(works: Iterable<() => Promise<unknown>>): Promise<void>;
  close(): void;
}

/** Milliseconds that the run waits for an answer which the request asks the server to delay. */
const POLL_MS = 1_000;
/** Milliseconds that the run waits for a delayed answer, once one of the same operation did not arrive in time. */
const POLL_AGAIN_MS = 200;

/** Reads the document and prepares a run. Rejects with `CouldNotRun` if the document or an option is wrong. */
export async function createRun(
  options: ContractOptions,
  startDryRun?: (spec: Spec, seed: number) => DryRun,
): Promise<Run> {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw new CouldNotRun(`${options.url} is not an http or https URL`);
  }
  const base = new URL(options.url);
  const startedAt = dateNow();
  const document = await loadDocument(options.spec);
  const published = structuredClone(document);
  const whole = readSpec(document);
  const leftOut = leftOutOf(whole, options.leaveOut);
  const rest = withoutLeftOut(whole, leftOut);
  // A narrowed run tells nothing of what the document leaves out elsewhere.
  const tellsLeftOut = options.only === undefined || options.leaveOut !== undefined;
  const spec = tellsLeftOut ? rest : { ...rest, leftOut: [] };
  const operations = selectOperations(spec, options.only);
  const uncompiled: [pointer: string, why: string][] = [];
  const judge = createJudge(spec.skeletons, (pointer, why) => uncompiled.push([pointer, why]));
  const keys = createKeys(spec, judge);
  const judgeWire = createRequestJudge(spec, judge, base);
  const seed = options.seed ?? Math.floor(Math.random() * 0x7fffffff);
  const secrets = createSecrets(JSON.stringify(spec.requests));
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    const label = headerLabel(name);
    if (label !== undefined) secrets.add(value, label);
  }
  const { timeMs = 60_000, answerTimeoutMs = 10_000 } = options;
  const transport = createTransport(base);
  const turns = createTurns();
  const toWire = (draft: Draft, show?: (credential: string) => string) =>
    encode({ ...draft, headers: { ...options.headers, ...draft.headers } }, base, spec.schemes, show);
  const shown = (draft: Draft) => {
    const wire = toWire(draft, secrets.labelOf);
    const body = wire.body && secrets.maskBody(wire.body);
    const headers = Object.entries(wire.headers).map(([name, value]) => [name, secrets.maskPlaces(value)]);
    const [path = '', query] = wire.target.split(/\?(.*)/s);
    const target = query === undefined ? path : `${path}?${secrets.maskPlaces(query)}`;
    return { ...wire, target, headers: Object.fromEntries(headers) as Record<string, string>, body };
  };
  const dryRun = startDryRun?.(spec, seed);
  // A dry run tests no server, so none of its findings count.
  const counts = dryRun === undefined ? selectChecks(options) : new Set<Check>();
  const record = createRecord({
    spec,
    operations,
    leftOut: tellsLeftOut ? leftOut : {},
    base,
    seed,
    secrets,
    shown,
    counts,
    only: options.only,
    startedAt,
    timeMs,
    allowIncomplete: options.allowIncomplete === true,
    onProgress: options.onProgress,
  });
  let watches = false;
  let isAborted = false;
  let vigil: Vigil | undefined;
  const timeLeft = () => startedAt + timeMs - dateNow();
  function outOfTime(): boolean {
    const { maxFaults = Infinity } = options;
    if (record.faults() >= maxFaults) record.stop(`stopped after ${String(record.faults())} faults`);
    const isOver = isAborted || timeLeft() <= 0 || record.faults() >= maxFaults;
    if (isOver) record.stop(`stopped after ${(timeMs / 1_000).toFixed(1)} s`);
    return isOver;
  }
  const issues: Run['issues'] = new Map();
  const note = (text: string) => {
    record.note(text);
  };
  const checks = createAnswerChecks(options, spec, judge, secrets, issues, note, published);
  const valuesOf = readValues(spec, options.values ?? {});
  /** Verdicts on drafts, which do not change: many are judged before they are sent. Another key does not change one. */
  const verdicts = new WeakMap<Draft, Verdict>();
  /** Operations whose answers had no end. Their bodies get less time from then on. */
  const slow = new Set<string>();

  /** An operation whose schema cannot be compiled is not tested, and the report says why. */
  function leaveOutBroken(): void {
    for (const [pointer, why] of uncompiled.splice(0))
      for (const operation of spec.operations.filter((each) => pointersOf(each).includes(pointer))) {
        const reason = `${pointer} cannot be compiled: ${why}`;
        if (!spec.broken.has(operation.id)) spec.broken.set(operation.id, reason);
        record.extent.leaveOut(operation, reason);
      }
  }

  async function attempt(wanted: Draft, info: CaseInfo): Promise<Exchange> {
    if (watches && outOfTime()) throw new OutOfTime();
    leaveOutBroken();
    const draft = info.keepsKey === true ? wanted : keys.renew(wanted);
    const { operation } = draft;
    const wire = toWire(draft);
    const repeats = keys.use(operation, wire);
    const verdict = verdicts.get(wanted) ?? judgeWire(operation, wire);
    rememberPasswords(draft.body, secrets);
    for (const part of [draft.body, draft.query, draft.path]) secrets.say(part);
    const ordinal = record.sending(operation, info.phase);
    const about = { operation: operation.id, phase: info.phase, name: info.name };
    dryRun?.saw({ ...about, case: secrets.mask(info.name), curl: toCurl(shown(draft), base, secrets) });
    const sent = await hooked(wire, about);
    let sentAt = performanceNow();
    const waits = asksToWait(draft);
    async function exchanged(): Promise<Answer> {
      if (watches && outOfTime()) throw new OutOfTime();
      const most = waits
        ? Math.min(answerTimeoutMs, slow.has(operation.id) ? POLL_AGAIN_MS : POLL_MS)
        : answerTimeoutMs;
      const patience = watches ? Math.min(most, timeLeft()) : most;
      sentAt = performanceNow();
      const got = await transport.send(sent, patience, slow.has(operation.id) ? 500 : patience);
      tookMs = performanceNow() - sentAt;
      return got;
    }
    let tookMs = 0;
    let answer: Answer;
    try {
      answer =
        dryRun?.answer(draft, verdict, info) ?? (await (info.atOnce === true ? exchanged() : turns.take(exchanged)));
      if (answer.cut !== undefined) slow.add(operation.id);
    } catch (error) {
      if (watches && outOfTime()) throw new OutOfTime();
      record.received(operation, undefined, performanceNow() - sentAt);
      const without = { ordinal, draft, wire, verdict, answer: undefined, value: undefined };
      await vigil?.saw(without, info);
      if (waits && error instanceof TooLate) {
        slow.add(operation.id);
        record.note(`${operation.id}: answers that requests ask the server to delay came too late and are not checked`);
        return { ...without, findings: [] };
      }
      const expected = `an answer within ${String(answerTimeoutMs)} ms`;
      const finding: Finding = { check: 'answer', message: `there is no answer: ${reasonOf(error)}`, expected };
      return { ...without, findings: counting([finding]) };
    }
    record.received(operation, answer.status, tookMs);
    if (verdict.kind === 'valid' && info.outside !== true && (info.expectation ?? 'accepted') === 'accepted')
      record.extent.answered(operation, answer.status);
    const value = parse(answer);
    const received = { ordinal, draft, wire, verdict, answer, value };
    const found = [
      ...checkTime(tookMs, waits ? undefined : options.maxResponseMs),
      ...checks.of(received, info, repeats()),
      ...(await checkByHook(options.hooks, sent, answer, value, about)),
    ];
    if ((await vigil?.saw(received, info)) === false) throw new OutOfTime();
    return { ...received, findings: counting(found) };
  }

  function judgeRequest(draft: Draft): Verdict {
    const verdict = verdicts.get(draft) ?? judgeWire(draft.operation, toWire(draft));
    verdicts.set(draft, verdict);
    return verdict;
  }

  async function hooked(wire: WireRequest, about: HookCase): Promise<WireRequest> {
    const hook = options.hooks?.request;
    return hook === undefined ? wire : ((await callHook('request', () => hook({ ...wire }, about))) ?? wire);
  }

  function counting(findings: Finding[]): Finding[] {
    return findings.filter(({ check }) => counts.has(check));
  }

  await compileAll(operations, spec, judge, startedAt, timeMs);
  leaveOutBroken();

  return {
    options,
    spec,
    judge,
    keys,
    base,
    seed,
    operations,
    secrets,
    record,
    isDryRun: dryRun !== undefined,
    issues,
    valuesOf,
    attempt,
    async send(draft, info) {
      const exchange = await attempt(draft, info);
      record.add(info, exchange);
      return exchange;
    },
    judgeRequest,
    wireOf: (draft) => toWire(draft),
    watchWith(one) {
      vigil = one;
    },
    abort(check, message) {
      isAborted = true;
      record.abort(check, message);
    },
    watchTime: () => {
      watches = true;
    },
    outOfTime,
    // Hooks see each answer before the next request, as does who reads the plan of a dry run.
    inOrder: (works) => turns.inOrder(works, options.hooks === undefined && dryRun === undefined),
    close: () => {
      transport.close();
    },
  };
}

function rememberPasswords(body: Json | undefined, secrets: Secrets): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [name, member] of Object.entries(body)) {
    // A text of few different characters may appear in an answer by chance.
    const isSecret = typeof member === 'string' && isPasswordName(name) && new Set(member).size >= 6;
    if (isSecret) secrets.addMadeUp(member);
    else if (typeof member === 'object') rememberPasswords(member, secrets);
  }
}

function parse({ text, headers }: Answer): Json | undefined {
  // JSON with a wrong media type is read too; the media type is a finding of its own.
  if (!/json/i.test(headers['content-type'] ?? '') && !/^[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as Json;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
