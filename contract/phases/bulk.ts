import * as fc from 'fast-check';
import { slotsOf } from '../cases/slots.js';
import { unlikelyIds } from '../cases/unlikely-ids.js';
import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { isObject, type Json, membersOf, sameJson } from '../document/json.js';
import { identify, isItemOperation, originOf, thingIn, trimmed } from '../document/links.js';
import { isUnsafe, type Operation } from '../document/model.js';
import { isProtectionName, isVolatileName } from '../document/names.js';
import { flatten, typesOf } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import { type Resource } from '../fixtures.js';
import type { Draft } from '../http/draft.js';
import type { Run } from '../run.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;
/** Most ids in one request. */
const MOST_IDS = 500;

/** An operation on many things, which the body selects by their ids or by a filter. */
interface Bulk {
  operation: Operation;
  creator: Operation;
  getter: Operation;
  /** The member of the body with the list of ids. */
  ids: string;
  /** The member of the body that makes the request a dry run. */
  dryRun: string | undefined;
  /** The member of the body with the filter, and the filter's member that searches for a text. */
  search: { filter: string; text: string } | undefined;
}

/**
 * Checks that a bulk operation changes only the things that it names, counts them, and changes nothing in a dry run.
 */
export async function runBulk(context: Context, operation: Operation): Promise<void> {
  const bulk = bulkOf(context, operation);
  if (bulk === undefined) return;
  const made: Resource[] = [];
  for (let count = 0; count < 4; count++) {
    const resource = await context.fixtures.create(bulk.creator, { phase: 'sequences', name: 'create one of several' });
    if (resource === undefined) return;
    made.push(resource);
  }
  const [a, b, bystander, searched] = made;
  if (a === undefined || b === undefined || bystander === undefined || searched === undefined) return;
  const ids = [a, b].map(idOf);
  if (ids.includes(null)) return;
  const base = await context.fixtures.base(operation, { phase: 'sequences' });
  const wanted = [...ids, unknownLike(ids[0] ?? null)];
  const before = await lookAt(context, bulk, made);
  const byIds = bodyWith(context.run, base, bulk, { [bulk.ids]: wanted });
  if (byIds === undefined) return;
  if (bulk.dryRun !== undefined) {
    const dry = await send(
      context,
      { ...byIds, body: merged(byIds.body, { [bulk.dryRun]: true }) },
      'a dry run',
      (value) => countsIn(value, 2, 1, bulk.dryRun, true),
    );
    await expectSame(context, bulk, made, before, dry, 'a dry run changes something');
  }
  const done = await send(context, byIds, 'some ids', (value) => [
    ...countsIn(value, 2, 1, bulk.dryRun, false),
    ...namedIn(value, ids),
  ]);
  if (done?.answer === undefined || done.answer.status >= 300) return;
  const after = await lookAt(context, bulk, made);
  if ([0, 1].some((index) => sameJson(after[index], before[index])))
    report(context, done, 'a thing that the request names is not changed', 'a change of each');
  await expectSame(
    context,
    bulk,
    [bystander],
    [before[2] ?? null],
    done,
    'a thing that the request does not name changes',
  );
  await send(context, byIds, 'the same ids again', (value) => countsIn(value, 0, 1, bulk.dryRun, false, [2]));
  await byMany(context, bulk, base, bystander);
  await bySearch(context, bulk, base, searched);
}

/** Checks that the last of as many ids as the document allows is not forgotten. */
async function byMany(context: Context, bulk: Bulk, base: Draft, thing: Resource): Promise<void> {
  const { run } = context;
  const slot = slotsOf(run.spec.requests, bulk.operation.body?.schema).find(({ path }) => path.join() === bulk.ids);
  const { maxItems = 0, items } = flatten(run.spec.requests, slot?.schema);
  if (maxItems < 10 || maxItems > MOST_IDS) return;
  const { format } = flatten(run.spec.requests, items);
  const unknown = fc.sample(unlikelyIds(format), { seed: run.seed, numRuns: maxItems - 1 });
  const draft = bodyWith(run, base, bulk, { [bulk.ids]: [...unknown, idOf(thing)] });
  if (draft === undefined) return;
  const [before = null] = await lookAt(context, bulk, [thing]);
  const done = await send(context, draft, `${String(maxItems)} ids`, () => []);
  const [after = null] = await lookAt(context, bulk, [thing]);
  if (done?.answer !== undefined && done.answer.status < 300 && sameJson(before, after))
    report(context, done, `of ${String(maxItems)} ids the last is forgotten`, 'a change of the thing that it names');
}

/** Checks the operation with a filter that selects exactly one thing. */
async function bySearch(context: Context, bulk: Bulk, base: Draft, searched: Resource): Promise<void> {
  const { search, dryRun } = bulk;
  const text = searchable(searched);
  if (search === undefined || text === undefined) return;
  const draft = bodyWith(context.run, base, bulk, { [search.filter]: { [search.text]: text } });
  if (draft === undefined) return;
  const [before = null] = await lookAt(context, bulk, [searched]);
  if (dryRun !== undefined) {
    const dry = await send(
      context,
      { ...draft, body: merged(draft.body, { [dryRun]: true }) },
      'a dry run by a filter',
      () => [],
    );
    await expectSame(context, bulk, [searched], [before], dry, 'a dry run by a filter changes something');
  }
  const done = await send(context, draft, 'a filter', () => []);
  const [after = null] = await lookAt(context, bulk, [searched]);
  if (done?.answer !== undefined && done.answer.status < 300 && sameJson(before, after))
    report(context, done, 'a request whose filter matches a thing does not change it', 'a change');
}

function bulkOf({ run, obstacle }: Context, operation: Operation): Bulk | undefined {
  if (!isUnsafe(operation) || operation.body === undefined || obstacle(operation) !== undefined) return undefined;
  const { spec } = run;
  const creator = spec.operations.find(
    (each) =>
      each.method === 'POST' &&
      each !== operation &&
      operation.path.startsWith(`${trimmed(each.path)}/`) &&
      !each.path.includes('{'),
  );
  const getter = spec.operations.find(
    (each) => each.method === 'GET' && isItemOperation(each) && originOf(spec, each)?.creator === creator,
  );
  const slots = slotsOf(spec.requests, operation.body.schema).filter(({ path }) => path.length <= 2);
  const own = slots.filter(({ path }) => path.length === 1);
  const has = (pattern: RegExp, type: string) =>
    own.find(
      ({ path, schema }) => pattern.test(String(path[0])) && typesOf(flatten(spec.requests, schema)).includes(type),
    );
  const ids = has(/ids$/i, 'array');
  if (creator === undefined || getter === undefined || ids === undefined || operation.path.includes('{'))
    return undefined;
  if (obstacle(creator) !== undefined || obstacle(getter) !== undefined) return undefined;
  const dryRun = has(/dry_?run|preview|simulate/i, 'boolean');
  const search = slots.find(
    ({ path }) =>
      path.length === 2 && /filter|where/i.test(String(path[0])) && /^(q|query|search|name)$/i.test(String(path[1])),
  );
  return {
    operation,
    creator,
    getter,
    ids: String(ids.path[0]),
    dryRun: dryRun === undefined ? undefined : String(dryRun.path[0]),
    search: search && { filter: String(search.path[0]), text: String(search.path[1]) },
  };
}

const idOf = ({ exchange }: Resource): Json => identify(thingIn(exchange.value), 'id') ?? null;

function unknownLike(id: Json): Json {
  if (typeof id === 'number') return id + 2 ** 40;
  return typeof id === 'string' ? id.replace(/[0-9a-f](?=[^0-9a-f]*$)/i, (sign) => (sign === '0' ? '1' : '0')) : id;
}

const merged = (body: Json | undefined, more: Record<string, Json>): Json => ({ ...(isObject(body) && body), ...more });

/** The request with only these members in its body, and those that exclude the caller's own credential. */
function bodyWith(run: Run, base: Draft, { operation }: Bulk, members: Record<string, Json>): Draft | undefined {
  const spared = membersOf(base.body).filter(([name]) => isProtectionName(name));
  const draft = { ...base, operation, body: { ...Object.fromEntries(spared), ...members } };
  return run.judgeRequest(draft).kind === 'valid' ? draft : undefined;
}

async function send(
  { run }: Context,
  draft: Draft,
  name: string,
  check: (value: Json | undefined) => Finding[],
): Promise<Exchange | undefined> {
  return await run.send(draft, {
    phase: 'sequences',
    name,
    check: ({ status }, value) => (status < 300 ? check(value) : []),
  });
}

/** The current states of the things, without members that change by themselves. */
async function lookAt({ run, fixtures }: Context, { getter }: Bulk, things: Resource[]): Promise<Json[]> {
  const found: Json[] = [];
  for (const resource of things) {
    const draft = await fixtures.on(getter, resource);
    const got = draft && (await run.send(draft, { ...ANY, name: 'get one of several' }));
    const thing = got?.answer && got.answer.status < 300 ? thingIn(got.value) : undefined;
    found.push(Object.fromEntries(Object.entries(thing ?? {}).filter(([name]) => !isVolatileName(name))));
  }
  return found;
}

async function expectSame(
  context: Context,
  bulk: Bulk,
  things: Resource[],
  before: Json[],
  exchange: Exchange | undefined,
  message: string,
): Promise<void> {
  const after = await lookAt(context, bulk, things);
  if (exchange?.answer === undefined || exchange.answer.status >= 300 || sameJson(before, after)) return;
  report(context, exchange, message, 'no change');
}

/** Checks the counts in an answer: of changed things, and of unknown ids. `others` allows further unknown ids. */
function countsIn(
  value: Json | undefined,
  done: number,
  missing: number,
  dryRun: string | undefined,
  isDry: boolean,
  others: number[] = [],
): Finding[] {
  return membersOf(value).flatMap(([name, told]): Finding[] => {
    if (name === dryRun && told !== isDry) return [bulkFault(`${name} differs from what was sent`, String(isDry))];
    if (typeof told !== 'number' || !/count|total|number|^num/i.test(name)) return [];
    const isMissing = /not_?found|missing|unknown|skipped|failed|ignored/i.test(name);
    const wanted = isMissing ? missing : done;
    if (told === wanted || (isMissing && others.some((other) => told === missing + other))) return [];
    return [bulkFault(`${name} is a wrong count`, String(wanted))];
  });
}

/** Checks that an answer which lists things lists each thing that the request named. */
function namedIn(value: Json | undefined, ids: Json[]): Finding[] {
  return membersOf(value).flatMap(([name, list]): Finding[] => {
    if (!Array.isArray(list) || !(list.length === 0 || list.some((item) => isObject(item)))) return [];
    if (/error|fail|missing|not_?found/i.test(name)) return [];
    const told = list.map((item) => JSON.stringify(identify(item, 'id')));
    if (ids.every((id) => told.includes(JSON.stringify(id)))) return [];
    return [bulkFault(`${name} lacks a thing that the request names`, 'each of them')];
  });
}

function searchable({ exchange }: Resource): string | undefined {
  // A member such as `prefix` has a text that no other thing has.
  const thing = thingIn(exchange.value) ?? {};
  const own = Object.entries(thing).find(
    ([name, text]) => /prefix|code|slug|number/i.test(name) && typeof text === 'string',
  );
  return typeof own?.[1] === 'string' ? own[1] : undefined;
}

function bulkFault(message: string, expected: string): Finding {
  return { check: 'bulk', message, expected };
}

function report({ run }: Context, exchange: Exchange, message: string, expected: string): void {
  run.record.fail({ ...ANY, name: 'on several things' }, exchange, bulkFault(message, expected));
}
