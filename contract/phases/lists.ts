import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { type Json, type JsonObject, memberOf, sameJson, textOf } from '../document/json.js';
import { identify } from '../document/links.js';
import { type Operation, type Parameter } from '../document/model.js';
import { isTombstoneName, sameName } from '../document/names.js';
import { flatten, type Schema, typesOf } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import { canBeAsked, compared } from '../laws/comparisons.js';
import { checkFilterLaws } from '../laws/filters.js';
import { isRemover } from '../policy.js';
import { checkFilterPairs } from './filter-pairs.js';
import { checkAddresses, checkOpenFilter } from './filters.js';
import { type Made, makeRows } from './rows.js';
import { type ListShape, listShapeOf, type Walk, walk } from './walk.js';

const PHASE = 'lists';
/** Rows of a list that is read in pages of one, and pages that are read of a longer one. */
const SHORT = 8;

/** Reads a list with several page sizes, filters and sort orders, and compares the rows. */
export async function runLists(context: Context, operation: Operation): Promise<void> {
  const { run } = context;
  const shape = listShapeOf(run.spec.answers, operation);
  if (shape === undefined || context.obstacle(operation) !== undefined) return;
  const made = await makeRows(context, operation);
  const all = await walk(context, operation, { phase: PHASE });
  if (all === undefined) return;
  const everything = all.pages.flatMap(({ rows }) => rows);
  if (all.complete && mayHaveAll(context, shape, all)) {
    const lost = made.ids.some((id) => !everything.some((row) => identify(row, 'id') === id));
    if (lost) fail(context, all.last, 'paging', 'a created row is not listed', 'every created row, on some page');
  }
  if (shape.limit) {
    const limits =
      everything.length <= SHORT
        ? [1, 2, 3]
        : [1, 3, Math.min(Math.ceil(everything.length / SHORT), shape.limit.schema.maximum ?? Infinity)];
    for (const limit of new Set(limits)) await compareWalks(context, shape, everything, limit, all.complete);
  }
  for (const parameter of operation.parameters) {
    if (parameter.in === 'query') await checkFilter(context, shape, parameter, everything, all.complete, made);
  }
  const [word] = [...made.words.values()];
  const search = operation.parameters.find(({ name }) => /^(q|query|search)$/i.test(name));
  const order = operation.parameters.find(({ name }) => /order|sort/i.test(name));
  const [sorted] = flatten(run.spec.requests, order?.schema).enum ?? [];
  await checkAddresses(context, shape, {
    ...(search && word !== undefined && made.words.size > 1 && { [search.name]: String(run.seed % 1000) }),
    ...(order && sorted !== undefined && { [order.name]: sorted }),
  });
  await checkFilterPairs(context, shape, everything, [...made.words.values()]);
  await checkFilterLaws(context, shape);
}

async function compareWalks(
  context: Context,
  shape: ListShape,
  everything: JsonObject[],
  limit: number,
  complete: boolean,
): Promise<void> {
  const { operation, limit: parameter } = shape;
  if (parameter === undefined) return;
  const name = `list by ${String(limit)}`;
  const query = { [parameter.name]: limit };
  const walked = await walk(context, operation, { phase: PHASE, query, name, most: SHORT + 2 });
  if (walked === undefined) return;
  const tell = (exchange: Exchange, message: string, expected: string) => {
    fail(context, exchange, 'paging', message, expected, name);
  };
  for (const [index, { rows, exchange }] of walked.pages.entries()) {
    if (rows.length > limit)
      tell(exchange, `a page has more rows than ${parameter.name}`, `at most ${String(limit)} rows`);
    const isLast = index === walked.pages.length - 1;
    // A page by cursor may be short, but an empty page must be the last.
    const least = shape.page || shape.offset ? limit : 1;
    if (!isLast && rows.length < least)
      tell(exchange, 'a page before the last has too few rows', `${String(least)} rows or more`);
    const { count } = shape;
    if (count !== undefined && complete && memberOf(exchange.value, count) !== everything.length) {
      tell(exchange, `${count} is not the number of rows`, `${count}: ${String(everything.length)}`);
    }
  }
  const ids = walked.pages.flatMap(({ rows }) => rows.map((row) => JSON.stringify(identify(row, 'id') ?? row)));
  const pages = walked.pages.length;
  const most = shape.page || shape.offset ? Math.ceil(everything.length / limit) : everything.length;
  if (new Set(ids).size < ids.length) tell(walked.last, 'a row is on two pages', 'every row once');
  else if (!walked.complete && complete && pages > most + 1) tell(walked.last, 'the pages have no end', 'a last page');
  // A list with a limit and no next page has only its first rows.
  const hasMore =
    shape.page ?? shape.offset ?? (shape.isLinked ? shape.cursor : undefined) ?? (pages > 1 ? limit : undefined);
  if (!complete || !walked.complete || hasMore === undefined) return;
  const whole = everything.map((row) => JSON.stringify(identify(row, 'id') ?? row));
  if (whole.some((id) => !ids.includes(id)))
    tell(walked.last, 'a row is missing between pages', 'every row of one large page');
  else if (ids.length === whole.length && !sameJson(ids, whole))
    tell(walked.last, 'the order depends on the page size', 'the same order');
}

/**
 * Whether a list must contain every row. A list with a limit and no next page need not, if it has reached its limit.
 */
function mayHaveAll({ run }: Context, shape: ListShape, { pages, last }: Walk): boolean {
  // A list with a filter need not contain every row.
  if (shape.filters.some(({ name }) => last.draft.query[name] !== undefined)) return false;
  if (shape.limit === undefined || pages.length > 1 || (shape.page ?? shape.offset ?? shape.cursor) !== undefined)
    return true;
  const asked = last.draft.query[shape.limit.name] ?? flatten(run.spec.requests, shape.limit.schema).default;
  return typeof asked === 'number' && (pages[0]?.rows.length ?? 0) < asked;
}

async function checkFilter(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  everything: JsonObject[],
  complete: boolean,
  made: Made,
): Promise<void> {
  const schema = flatten(context.run.spec.requests, parameter.schema);
  const members = Object.keys(shape.row.properties ?? {});
  const member = members.find((name) => sameName(name, parameter.name));
  const values = schema.enum ?? (schema.type === 'boolean' ? [true, false] : []);
  if (member !== undefined) {
    const own = schema.enum || schema.type === 'boolean' ? values : distinct(everything, member).slice(0, 2);
    const told = flatten(context.run.spec.answers, shape.row.properties?.[member]);
    for (const value of own.filter((each) => canBeAsked(each) && mayBe(told, each)))
      await checkEquality(context, shape, parameter, { member, told, value }, complete ? everything : undefined);
  } else if (/order|sort/i.test(parameter.name)) {
    for (const value of values) await checkOrder(context, shape, parameter, value, members, made);
  } else if (/^include/i.test(parameter.name) && schema.type === 'boolean') {
    const what = parameter.name.replace(/^include_?/i, '').replace(/(ed)?$/i, '');
    const tombstone = members.find(
      (name) => isTombstoneName(name) && name.toLowerCase().startsWith(what.toLowerCase()),
    );
    if (tombstone) await checkInclusion(context, shape, parameter, tombstone);
  } else if (complete) await checkOpenFilter(context, shape, parameter, everything, made);
}

/** Whether a member may have this value. If not, a parameter with the member's name is not a filter by it. */
function mayBe(schema: Schema, value: Json): boolean {
  if (schema.enum) return schema.enum.some((each) => sameJson(each, value));
  const types = typesOf(schema);
  const type = typeof value === 'number' ? (types.includes('number') ? 'number' : 'integer') : typeof value;
  return types.length === 0 || types.includes(type);
}

/** The different texts and numbers of a member in the rows. */
function distinct(rows: JsonObject[], member: string): Json[] {
  const values = rows
    .map((row) => row[member])
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .filter(canBeAsked);
  return [...new Set(values)];
}

async function checkEquality(
  context: Context,
  { operation }: ListShape,
  parameter: Parameter,
  { member, told, value }: { member: string; told: Schema; value: Json },
  everything: JsonObject[] | undefined,
): Promise<void> {
  const name = `list with ${parameter.name}=${textOf(value)}`;
  const walked = await walk(context, operation, { phase: PHASE, query: { [parameter.name]: value }, name });
  if (walked === undefined) return;
  const rows = walked.pages.flatMap((page) => page.rows);
  // A server may leave out a member with an empty value, such as false, or with its default.
  const mayBeLeftOut = value === false || value === 0 || sameJson(value, told.default);
  const isOf = (row: JsonObject) => sameJson(row[member], value);
  const mayBeOf = (row: JsonObject) => isOf(row) || (mayBeLeftOut && (row[member] ?? null) === null);
  if (!rows.every(mayBeOf)) {
    const message = `${parameter.name} returns rows with another ${member}`;
    fail(context, walked.last, 'filter', message, `rows whose ${member} is ${textOf(value)}`, name);
  }
  const expected = everything?.filter(isOf).length;
  if (expected !== undefined && walked.complete && rows.filter(isOf).length < expected) {
    fail(
      context,
      walked.last,
      'filter',
      `${parameter.name} omits rows with that ${member}`,
      `${String(expected)} rows`,
      name,
    );
  }
}

async function checkInclusion(
  context: Context,
  { operation }: ListShape,
  { name: flag }: Parameter,
  tombstone: string,
): Promise<void> {
  let before: string[] = [];
  for (const include of [false, true]) {
    const name = `list with ${flag}=${String(include)}`;
    const walked = await walk(context, operation, { phase: PHASE, query: { [flag]: include }, name });
    if (walked === undefined) return;
    const ended = walked.pages
      .flatMap(({ rows }) => rows)
      .filter((row) => row[tombstone] !== null && row[tombstone] !== undefined && row[tombstone] !== false);
    if (!include && ended.length > 0)
      fail(context, walked.last, 'filter', `${flag}=false lists rows with ${tombstone}`, `rows without it`, name);
    // Without a successful deletion or revocation there is no such row.
    const mayHave = context.run.spec.operations.some(
      (each) => isRemover(each) && context.run.record.hasSucceeded(each),
    );
    if (include && ended.length === 0 && walked.complete && mayHave)
      fail(context, walked.last, 'filter', `${flag}=true lists no row with ${tombstone}`, `rows with it`, name);
    const ids = walked.pages.flatMap(({ rows }) => rows.map((row) => JSON.stringify(identify(row, 'id') ?? row)));
    if (include && walked.complete && before.some((id) => !ids.includes(id)))
      fail(
        context,
        walked.last,
        'filter',
        `${flag}=true omits rows of ${flag}=false`,
        `every row of ${flag}=false`,
        name,
      );
    before = ids;
  }
}

/** Checks a sort order by numbers, instants or lower-case words; servers may sort other texts in different ways. */
async function checkOrder(
  context: Context,
  { operation }: ListShape,
  parameter: Parameter,
  value: Json,
  members: string[],
  made: Made,
): Promise<void> {
  const text = textOf(value);
  const descending = text.startsWith('-') || /[_:. ]desc$/i.test(text);
  const wanted = text.replace(/^[-+]/, '').replace(/[_:. ](asc|desc)$/i, '');
  const member = members.find((name) => sameName(name, wanted));
  if (member === undefined) return;
  const name = `list with ${parameter.name}=${text}`;
  const query = { ...ascendingOf(context, operation, parameter), [parameter.name]: value };
  const walked = await walk(context, operation, { phase: PHASE, query, name });
  const rows = walked?.pages.flatMap((page) => page.rows) ?? [];
  const words = rows
    .filter((row) => made.words.has(JSON.stringify(identify(row, 'id'))))
    .map((row) => row[member])
    .filter((key) => typeof key === 'string' && /^[a-z]+ \d+$/.test(key));
  const keys = words.length > 1 ? words : rows.map((row) => row[member] ?? null).filter((key) => key !== null);
  const comparable = keys.filter(
    (key): key is number | string =>
      typeof key === 'number' || (typeof key === 'string' && (words.length > 1 || /^\d{4}-\d\d-\d\d.*Z$/.test(key))),
  );
  const inOrder = comparable.every((key, index) => {
    const before = comparable[index - 1];
    return before === undefined || (descending ? compared(key, before) : compared(before, key)) <= 0;
  });
  if (walked && comparable.length === keys.length && !inOrder) {
    fail(
      context,
      walked.last,
      'filter',
      `${parameter.name}=${text} does not sort by ${member}`,
      `rows sorted by ${member}`,
      name,
    );
  }
}

/** The query that asks for an ascending order, where another parameter has the direction, such as `direction=asc`. */
function ascendingOf({ run }: Context, operation: Operation, sort: Parameter): Record<string, Json> {
  for (const { name, in: place, schema } of operation.parameters) {
    const ascending = flatten(run.spec.requests, schema).enum?.find((value) => /^asc(ending)?$/i.test(textOf(value)));
    if (place === 'query' && name !== sort.name && ascending !== undefined) return { [name]: ascending };
  }
  return {};
}

function fail(
  { run }: Context,
  exchange: Exchange,
  check: Finding['check'],
  message: string,
  expected: string,
  name = 'list',
): void {
  run.record.fail({ phase: PHASE, name }, exchange, { check, message, expected });
}
