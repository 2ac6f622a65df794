import { checkAnswer, checkStatus, expectationOf, type Finding } from './checks/answer.js';
import { checkLeaks } from './checks/leaks.js';
import { checkPlace } from './checks/place.js';
import { practice } from './checks/practice.js';
import { createPublished } from './checks/published.js';
import { type Json, type JsonObject, memberOf } from './document/json.js';
import { answerFor, type Operation, type Spec } from './document/model.js';
import type { CaseInfo, Exchange } from './exchange.js';
import { type ContractHooks, callHook, type HookCase } from './hooks.js';
import type { Verdict } from './http/decode.js';
import type { WireRequest } from './http/encode.js';
import type { Secrets } from './http/secrets.js';
import type { Answer } from './http/send.js';
import { hasTwin } from './http/template.js';
import type { Judge } from './judge.js';
import { createWatch } from './laws/watch.js';
import type { ContractOptions } from './options.js';
import { CHECKS } from './report/types.js';

/** An exchange whose answer arrived and is not checked yet. */
export type Received = Omit<Exchange, 'findings' | 'answer'> & { answer: Answer };

/** The checks of a single answer. */
export interface AnswerChecks {
  /** What is wrong with an answer. `mayTellAgain` allows it to repeat a secret, as in the answer to a repeated request. */
  of(exchange: Received, info: CaseInfo, mayTellAgain: boolean): Finding[];
}

/** Statuses for a path that the server cannot read; no operation needs to document them. */
const UNREADABLE = new Set([400, 404, 414]);
/** Statuses for a path that is too long and for headers that are too large; documents rarely list them. */
const TOO_LONG = new Set([414, 431]);

/**
 * `issues` has the JSON pointers of the credentials that an operation issues, by operationId. `document` is the OpenAPI
 * document as it was read.
 */
export function createAnswerChecks(
  options: ContractOptions,
  spec: Spec,
  judge: Judge,
  secrets: Secrets,
  issues: ReadonlyMap<string, string[]>,
  note: (text: string) => void,
  document: JsonObject,
): AnswerChecks {
  const watch = createWatch(options.laws);
  const checkPublished = createPublished(options, document);

  function checkShape({ draft: { operation }, verdict, answer }: Received, info: CaseInfo): Finding[] {
    if (spec.broken.has(operation.id)) return [];
    const findings = checkAnswer(operation, verdict, answer, judge, spec.answers, (text) => {
      note(`${operation.id}: ${text}`);
    });
    if (hasTwin(spec, operation)) return findings.filter(({ check }) => check === 'server-error');
    const foreignPath = verdict.why.includes('the path is not that of the operation') && UNREADABLE.has(answer.status);
    const isTooLong = verdict.kind !== 'valid' && TOO_LONG.has(answer.status);
    if (info.outside !== true && !foreignPath && !isTooLong) return findings;
    return findings.filter(({ check }) => check === 'server-error');
  }

  function checkSecrets({ draft, answer, value }: Received, mayTellAgain: boolean): Finding[] {
    const findings = checkLeaks(spec.answers, secrets, draft, answer, value, mayTellAgain);
    // Added after the check: the answer that issues a secret may contain it, and no later answer may.
    if (answer.status < 300) {
      const credentials = (issues.get(draft.operation.id) ?? [])
        .map((path) => path.split('/').slice(1).reduce<Json | undefined>(memberOf, value))
        .filter((each) => typeof each === 'string');
      findings.push(...checkHeaders(draft.operation, answer, [...secrets.issuedIn(value), ...credentials]));
      secrets.addFrom(value, draft.body);
      for (const issued of credentials) secrets.add(issued);
    }
    return findings;
  }

  /** A secret of this answer in a header that the document does not describe. Logs and proxies keep such headers. */
  function checkHeaders(operation: Operation, { status, headers }: Answer, issued: string[]): Finding[] {
    if (issued.length === 0) return [];
    const described = new Set(answerFor(operation, status)?.headers.map(({ name }) => name.toLowerCase()));
    return Object.entries(headers)
      .filter(
        ([name, text]) =>
          !described.has(name) && name !== 'set-cookie' && issued.some((each) => [text].flat().join().includes(each)),
      )
      .map(([name]) =>
        practice(
          options,
          'documented-secrets',
          'secrets',
          `the header ${name} contains a secret`,
          'no secret in a header that is not documented',
        ),
      );
  }

  return {
    of(exchange, info, mayTellAgain) {
      const { draft, wire, verdict, answer, value } = exchange;
      const { operation } = draft;
      const expectation = info.expectation ?? expectationOf(verdict);
      return [
        ...checkShape(exchange, info),
        ...checkPlace(options, wire, verdict, answer),
        ...watch.look(operation, answer, value),
        ...checkSecrets(exchange, mayTellAgain),
        ...checkStatus(operation, answer, expectation, verdict, subject(info, verdict)),
        ...(answer.status < 300 ? checkPublished(answer.text, value) : []),
        ...(info.check?.(answer, value) ?? []),
      ];
    },
  };
}

/** The faults that the hook of the options finds in an answer. */
export async function checkByHook(
  hooks: ContractHooks | undefined,
  request: WireRequest,
  answer: Answer,
  value: Json | undefined,
  about: HookCase,
): Promise<Finding[]> {
  const hook = hooks?.answer;
  if (hook === undefined) return [];
  const faults = (await callHook('answer', () => hook({ ...answer, value }, { ...about, request }))) ?? [];
  return [faults].flat().map((message) => ({ check: 'hook', message, expected: CHECKS.hook }));
}

/** Checks that an answer took at most `most` milliseconds; undefined has no limit. */
export function checkTime(took: number, most: number | undefined): Finding[] {
  if (most === undefined || took <= most) return [];
  return [
    { check: 'time', message: 'an answer is slow', expected: `at most ${String(most)} ms, not ${took.toFixed(0)}` },
  ];
}

/** The subject of a message about a status: for an invalid request its first objection, else the name of the case. */
function subject({ expectation, name }: CaseInfo, { kind, why }: Verdict): string {
  return expectation === undefined && kind === 'invalid' ? `a request where ${why[0] ?? 'something is wrong'}` : name;
}
