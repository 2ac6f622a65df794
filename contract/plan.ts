import { sampleOf } from './cases/samples.js';
import { createContext } from './context.js';
import { isObject, type Json } from './document/json.js';
import { type AnswerSpec, isSecured, type Operation, type Spec, successOf } from './document/model.js';
import { isCursorName } from './document/names.js';
import { branches, flatten, typesOf } from './document/schema.js';
import type { PlannedRequest } from './dry-run.js';
import { OutOfTime } from './errors.js';
import type { CaseInfo } from './exchange.js';
import type { Verdict } from './http/decode.js';
import type { Draft } from './http/draft.js';
import type { Answer } from './http/send.js';
import type { ContractOptions } from './options.js';
import { runPhases } from './phases/index.js';
import { PHASES, type Phase } from './report/types.js';

/** The requests that a run would send to one operation. */
export interface PlannedOperation {
  operation: string;
  method: string;
  path: string;
  tags: string[];
  /** Number of requests by phase. */
  requests: Partial<Record<Phase, number>>;
  /** Requests that would not be sent, with the reason. */
  skipped: string[];
}

/** The requests that a run would send to a server that answers as documented. */
export interface ContractPlan {
  seed: number;
  operations: PlannedOperation[];
  requests: PlannedRequest[];
  /** Why planning stopped before all requests were planned, such as `stopped after 5.0 s`; undefined if it did not. */
  ended: string | undefined;
}

/**
 * Plans a run and sends nothing. Answers that later requests depend on are generated from the document, so a real run
 * sends other ids, and may send a few requests more or less.
 *
 * Rejects with `CouldNotRun` if the document cannot be read or an option is wrong.
 */
export async function planContract(options: ContractOptions): Promise<ContractPlan> {
  const requests: PlannedRequest[] = [];
  const isGiven = options.token !== undefined || options.credentials !== undefined || options.login !== undefined;
  const plain = withoutHooks(options);
  const context = await createContext(isGiven ? plain : { ...plain, token: STAND_IN }, (spec, seed) => ({
    answer: (draft, verdict, info) => answerOf(spec, seed, draft, verdict, info),
    saw: (request) => requests.push(request),
  }));
  const { run } = context;
  try {
    run.watchTime();
    await runPhases(context).catch((error: unknown) => {
      if (!(error instanceof OutOfTime)) throw error;
    });
    const { operations, ended } = run.record.finish();
    return {
      seed: run.seed,
      ended,
      requests,
      operations: operations.map(({ operation, method, path, tags, skipped }) => {
        const own = requests.filter((request) => request.operation === operation);
        const counts = PHASES.map((phase) => [phase, own.filter((request) => request.phase === phase).length] as const);
        return {
          operation,
          method,
          path,
          tags,
          skipped,
          requests: Object.fromEntries(counts.filter(([, n]) => n > 0)),
        };
      }),
    };
  } finally {
    run.close();
  }
}

/** The options without hooks, which could act on a server. */
function withoutHooks(options: ContractOptions): ContractOptions {
  const plain = { ...options };
  delete plain.hooks;
  return plain;
}

/** The credential of a plan for which none is given, so that secured operations are planned too. */
const STAND_IN = 'a-credential-to-plan-with';
const UNKNOWN = /^no-such-credential|^not-a-token/;

function answerOf(spec: Spec, seed: number, draft: Draft, { kind }: Verdict, info: CaseInfo): Answer {
  const { operation, credential } = draft;
  const isStranger = isSecured(operation) && (credential === null || UNKNOWN.test(credential.with.token));
  if (info.outside === true) return { status: 405, headers: { allow: operation.method }, text: '' };
  if (info.expectation === 'unauthorized' || isStranger) return stated(spec, seed, rejectionOf(operation, ['401']));
  if (kind === 'invalid') return stated(spec, seed, rejectionOf(operation, ['422', '400', '4XX', 'default']));
  return stated(spec, seed, successOf(operation) ?? operation.answers[0]);
}

function rejectionOf({ answers }: Operation, statuses: string[]): AnswerSpec {
  const found = statuses.map((status) => answers.find((answer) => answer.status.toUpperCase() === status));
  const status = statuses[0] ?? '400';
  return found.find((answer) => answer !== undefined) ?? { status, headers: [], content: [], links: [] };
}

/** A generated answer that fits its documentation. A page of a list is the last one. */
function stated(spec: Spec, seed: number, answer: AnswerSpec | undefined): Answer {
  if (answer === undefined) return { status: 200, headers: {}, text: '' };
  const status = /^\d{3}$/.test(answer.status)
    ? Number(answer.status)
    : /^[1-5]/.test(answer.status)
      ? Number(answer.status[0]) * 100
      : 200;
  const sample = (schema: Parameters<typeof sampleOf>[1], name: string) =>
    sampleOf(spec.answers, schema, { seed, name, accepts: () => true });
  const headers: Record<string, string> = {};
  for (const { name, schema } of answer.headers) {
    const value = sample(schema, name);
    if (value !== undefined) headers[name.toLowerCase()] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  const [media] = answer.content;
  if (media === undefined) return { status, headers, text: '' };
  const value = asLastPage(spec, media.schema, sample(media.schema, '') ?? null);
  return { status, headers: { ...headers, 'content-type': media.mediaType }, text: JSON.stringify(value) };
}

function asLastPage({ answers }: Spec, schema: AnswerSpec['content'][number]['schema'], value: Json): Json {
  if (!isObject(value)) return value;
  const { properties = {} } = branches(answers, schema)[0] ?? {};
  const isOnward = (name: string) => isCursorName(name) || /^(next|has_?more)/i.test(name);
  const ended = Object.entries(value).flatMap(([name, member]): [string, Json][] => {
    if (!isOnward(name)) return [[name, member]];
    const types = typesOf(flatten(answers, properties[name]));
    return types.includes('boolean') ? [[name, false]] : types.includes('null') ? [[name, null]] : [];
  });
  return Object.fromEntries(ended);
}
