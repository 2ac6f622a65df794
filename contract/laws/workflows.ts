import { randomInt } from 'node:crypto';
import { withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { isObject, type Json, sameJson, textOf } from '../document/json.js';
import { evaluate } from '../document/links.js';
import { isSecured } from '../document/model.js';
import type { Exchange } from '../exchange.js';
import { sourceOf } from '../fixtures.js';
import type { Draft } from '../http/draft.js';
import { sleep } from '../timers.js';
import { memberAt } from './comparisons.js';
import { instantOf } from './instants.js';
import type { Step, Workflow } from './types.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;
/** Milliseconds by which an instant may differ from the `about` of a workflow, because clocks differ. */
const SLACK = 60_000;
/** Milliseconds that a step waits at most. */
const LONGEST_WAIT = 10_000;

/** Sends the requests of each workflow in order, and checks their answers. */
export async function runWorkflows(context: Context): Promise<void> {
  for (const workflow of context.run.options.laws?.workflows ?? []) {
    if (context.run.outOfTime()) return;
    await runWorkflow(context, workflow);
  }
}

/** The state of a workflow. */
interface Done {
  /** The value of `$run.host`: the server's host without its port. */
  host: string;
  /** The value of `$run.word`: random, so that unique values differ between runs. */
  word: string;
  /** The steps so far, by their `as`. */
  steps: Map<string, Exchange>;
}

async function runWorkflow(context: Context, { rule, steps }: Workflow): Promise<void> {
  const { run } = context;
  const word = randomInt(36 ** 8).toString(36);
  const done: Done = { host: run.base.hostname, word, steps: new Map() };
  for (const step of steps) {
    const draft = await draftOf(context, step, done);
    if (draft === undefined) return;
    // If the run's credential may not call the operation, the workflow cannot test its rule.
    const expectsForbidden = [step.status].flat().includes(403);
    const isOwn = step.credential === undefined && isSecured(draft.operation);
    if (isOwn && !expectsForbidden && run.record.extent.isForbidden(draft.operation)) return;
    if (step.waitMs !== undefined) await sleep(Math.min(step.waitMs, LONGEST_WAIT));
    const name = `${rule}: ${step.operation}`;
    const exchange = await run.send(draft, {
      ...ANY,
      name,
      outside: step.method !== undefined || step.path !== undefined,
      check: (answer, value) => {
        const told = { draft, answer, value };
        return [...statusIn(rule, step, answer.status), ...answersIn(rule, step, told, done)];
      },
    });
    const { status = 500 } = exchange.answer ?? {};
    if (status >= 300 && step.status === undefined) return;
    if (status < 300) await remember(context, exchange);
    done.steps.set(step.as ?? '', exchange);
  }
}

/** Remembers a created thing, which the run deletes at its end, and its credential, which must stay secret. */
async function remember({ run, fixtures }: Context, exchange: Exchange): Promise<void> {
  const { operation } = exchange.draft;
  if (operation.method !== 'POST') return;
  const token = await fixtures.credentialIn(operation, exchange);
  for (const text of token === undefined ? run.secrets.issuedIn(exchange.value) : [token]) run.secrets.add(text);
  fixtures.made.push({ creator: operation, exchange, token });
}

async function draftOf(
  { run, fixtures, credentials, obstacle }: Context,
  step: Step,
  done: Done,
): Promise<Draft | undefined> {
  const operation = run.spec.operations.find(({ id }) => id === step.operation);
  if (operation === undefined)
    run.record.note(`a law names the operation ${step.operation}, which the document does not have`);
  // What is too dangerous for the run's own credential need not be so for one that the workflow has made.
  const isOwn = step.credential === undefined;
  if (operation === undefined || run.spec.broken.has(operation.id)) return undefined;
  if (isOwn && obstacle(operation) !== undefined) return undefined;
  const given = Object.entries(step.parameters ?? {}).map(([key, value]) => [key, resolve(value, done)] as const);
  if (given.some(([, value]) => value === undefined)) return undefined;
  if (fixtures.isUnique(operation)) fixtures.varyTexts(operation);
  const isNamed = step.path !== undefined || given.some(([key]) => key.startsWith('path.'));
  let draft = await fixtures.base(isNamed ? { ...operation, parameters: withoutPath(operation) } : operation);
  const { method, path } = step;
  const rawPath = path === undefined ? undefined : resolve(path, done);
  draft = { ...draft, operation, ...(method !== undefined && { method }) };
  if (typeof rawPath === 'string') draft.rawPath = rawPath;
  for (const [key, value] of given) {
    const [, place = '', name = ''] = /^(path|query|header|cookie)\.(.+)$/.exec(key) ?? [];
    if (place === 'header') draft.headers = { ...draft.headers, [name]: textOf(value) };
    else if (place === 'query' && !operation.parameters.some((each) => each.name === name))
      draft.rawQuery = `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`;
    else if (place !== '') draft = { ...draft, [place]: { ...draft[place as 'query'], [name]: value } };
  }
  if (step.body !== undefined) draft.body = resolve(step.body, done);
  for (const [path, value] of Object.entries(step.members ?? {}))
    draft.body = withValue(draft.body ?? {}, path.split('.'), resolve(value, done));
  if (step.credential === null) return { ...draft, credential: null };
  if (step.credential === undefined) return draft;
  const token = resolve(step.credential, done);
  return typeof token === 'string' ? credentials.attach(draft, { token, perScheme: {} }) : undefined;
}

function withoutPath({ parameters }: Draft['operation']): Draft['operation']['parameters'] {
  return parameters.filter(({ in: place }) => place !== 'path');
}

/**
 * Replaces each `$steps.NAME.` expression by its value in the step with that name, and each instant such as `now +
 * 30d`. Inside a longer text an expression is in braces. The result is undefined if the value does not exist.
 */
function resolve(value: Json, done: Done): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => resolve(item, done) ?? null);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolve(member, done) ?? null]));
  if (typeof value !== 'string') return value;
  const [, name, rest = ''] = /^\$steps\.([\w-]+)\.(.+)$/.exec(value) ?? [];
  if (name !== undefined) {
    const exchange = done.steps.get(name);
    return exchange && evaluate(`$${rest}`, sourceOf(exchange));
  }
  const whole = instantOf(value) ?? value;
  return whole.replaceAll(/\{(\$(?:steps|run)\.[^}]+)\}/g, (_, inner: string) =>
    inner === '$run.word' ? done.word : inner === '$run.host' ? done.host : textOf(resolve(inner, done) ?? null),
  );
}

function statusIn(rule: string, { status }: Step, got: number): Finding[] {
  if (status === undefined || [status].flat().includes(got) || got >= 500) return [];
  return [broken(rule, `gets ${String(got)}`, `status ${[status].flat().join(' or ')}`)];
}

type Told = Pick<Exchange, 'draft' | 'answer' | 'value'>;

function answersIn(rule: string, { expect = {}, status }: Step, told: Told, done: Done): Finding[] {
  // `statusIn` reports another status.
  const got = told.answer?.status ?? 500;
  if (status === undefined ? got >= 300 : ![status].flat().includes(got)) return [];
  return Object.entries(expect).flatMap(([place, wanted]): Finding[] => {
    const value = evaluate(place, sourceOf(told as Exchange));
    const expected = resolve(wanted, done);
    if (fits(value, expected)) return [];
    return [broken(rule, `${place} is not as expected`, `${place}: ${JSON.stringify(expected ?? wanted)}`)];
  });
}

/** Whether a value is as expected. An object with a member such as `not` or `like` says how to compare. */
function fits(value: Json | undefined, expected: Json | undefined): boolean {
  if (!isObject(expected)) return value !== undefined && expected !== undefined && sameJson(value, expected);
  const { not, like, absent, about, startOf, has, lacks, rows } = expected;
  if (not !== undefined) return value !== undefined && !sameJson(value, not);
  if (like !== undefined)
    return (typeof value === 'string' || typeof value === 'number') && new RegExp(textOf(like)).test(String(value));
  if (absent !== undefined) return (value === undefined) === absent;
  if (startOf !== undefined) return typeof value === 'string' && value !== '' && textOf(startOf).startsWith(value);
  if (about !== undefined) return Math.abs(instantIn(value) - Date.parse(textOf(about))) < SLACK;
  const list = Array.isArray(value) ? value : [];
  // Of a row only the expected members are compared.
  const matches = (row: Json, members: Json) =>
    isObject(members) && isObject(row)
      ? Object.entries(members).every(([path, member]) => fits(memberAt(row, path), member))
      : sameJson(row, members);
  if (rows !== undefined)
    return (
      Array.isArray(rows) && list.length === rows.length && rows.every((each, i) => matches(list[i] ?? null, each))
    );
  if (has !== undefined) return list.some((row) => matches(row, has));
  if (lacks !== undefined) return Array.isArray(value) && !list.some((row) => matches(row, lacks));
  return value !== undefined && sameJson(value, expected);
}

/** Milliseconds since 1970 of an instant in RFC 3339, or in seconds, as in RFC 7662. */
function instantIn(value: Json | undefined): number {
  return typeof value === 'number' ? value * 1_000 : Date.parse(textOf(value ?? ''));
}

function broken(rule: string, how: string, expected: string): Finding {
  return { check: 'law', message: `by a law (${rule}): ${how}`, expected };
}
