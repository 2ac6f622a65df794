import type { Context } from '../context.js';
import { isObject, type Json, type JsonObject, memberOf, membersOf } from '../document/json.js';
import { collectionOf, evaluate, identify, idNameOf, pathNames, thingIn, trimmed } from '../document/links.js';
import { type Operation, type Parameter, type Spec, successOf } from '../document/model.js';
import { isCountName, isCursorName, isLimitName, isOffsetName, isPageName, sameName } from '../document/names.js';
import { branches, flatten, type Schema, typesOf } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import { sourceOf } from '../fixtures.js';
import type { Draft } from '../http/draft.js';
import type { Phase } from '../report/types.js';

/** How an operation lists things: what its parameters and the schema of its answer show. */
export interface ListShape {
  operation: Operation;
  /** The member of the answer with the rows; undefined if the answer is the list itself. */
  rows: string | undefined;
  row: Schema;
  limit: Parameter | undefined;
  page: Parameter | undefined;
  offset: Parameter | undefined;
  cursor: Parameter | undefined;
  /** Whether an answer refers to the next page, by a documented member such as `next` or by a link. */
  isLinked: boolean;
  /** The required parameters, which may filter the rows. */
  filters: Parameter[];
  /** The member that counts the rows of all pages. */
  count: string | undefined;
}

/** Undefined if the operation does not list anything. */
export function listShapeOf(document: JsonObject, operation: Operation): ListShape | undefined {
  if (operation.method !== 'GET') return undefined;
  const [media] = successOf(operation)?.content ?? [];
  const schema = branches(document, media?.schema)[0] ?? {};
  const lists = Object.entries(schema.properties ?? {}).filter(([, member]) => isListOfObjects(document, member));
  const [name, list] = lists.length === 1 ? (lists[0] ?? []) : [];
  const isList = name === undefined && isListOfObjects(document, schema);
  if (name === undefined && !isList) return undefined;
  const query = operation.parameters.filter((parameter) => parameter.in === 'query');
  const limit = query.find((parameter) => isLimit(document, parameter));
  const page = query.find((parameter) => isNumber(document, parameter) && isPageName(parameter.name));
  const offset = query.find((parameter) => isNumber(document, parameter) && isOffsetName(parameter.name));
  // A list may have both `page` and `offset`. A parameter named `limit` belongs to the offset.
  const isOffset = offset !== undefined && /^limit$/i.test(limit?.name ?? '');
  return {
    operation,
    rows: name,
    row: branches(document, flatten(document, name === undefined ? schema : list).items)[0] ?? {},
    limit,
    page: isOffset ? undefined : page,
    offset,
    cursor: query.find((parameter) => isCursor(document, parameter)),
    isLinked:
      Object.keys(schema.properties ?? {}).some(isNextName) ||
      (successOf(operation)?.links.some((each) => each.operationId === operation.id) ?? false),
    filters: query.filter((parameter) => parameter.required && !isPaging(document, parameter)),
    count: Object.keys(schema.properties ?? {}).find(isCountName),
  };
}

/**
 * Whether the parameter says how many rows a page has at most. A text of such a name, such as a shirt's `size`, does
 * not.
 */
export function isLimit(document: JsonObject, parameter: Parameter): boolean {
  return isLimitName(parameter.name) && isNumber(document, parameter);
}

/** Whether the parameter says which page to list, and not which rows. */
export function isPaging(document: JsonObject, parameter: Parameter): boolean {
  const { name } = parameter;
  if (isCursor(document, parameter)) return true;
  return [isLimitName, isPageName, isOffsetName].some((is) => is(name)) && isNumber(document, parameter);
}

/** Whether the parameter takes a cursor. A filter by time, such as `after` with a date, has such a name as well. */
function isCursor(document: JsonObject, { name, schema }: Parameter): boolean {
  const formats = branches(document, schema).map(({ format }) => format);
  return isCursorName(name) && !formats.some((format) => format === 'date-time' || format === 'date');
}

function isNumber(document: JsonObject, { schema }: Parameter): boolean {
  const types = branches(document, schema).flatMap(typesOf);
  return types.length === 0 || types.includes('integer') || types.includes('number');
}

function isListOfObjects(document: JsonObject, schema: Parameters<typeof flatten>[1]): boolean {
  const flat = flatten(document, schema);
  const row = branches(document, flat.items)[0] ?? {};
  return typesOf(flat).includes('array') && typesOf(row).includes('object');
}

export interface Page {
  rows: JsonObject[];
  exchange: Exchange;
}

/** The pages of a list that were read in order. */
export interface Walk {
  pages: Page[];
  /** The row of the thing `stopAt`; undefined if no page has it. */
  found: JsonObject | undefined;
  last: Exchange;
  /** Whether the last page was reached. */
  complete: boolean;
}

/** Most pages that are read of one list. */
const MOST_PAGES = 60;

/**
 * Reads a list page by page, to its end, to the row of the thing `stopAt`, or to `most` pages. Resolves with undefined
 * if the operation lists nothing, if its first page fails, or if `stopAt` has no id.
 */
export async function walk(
  context: Context,
  operation: Operation,
  {
    phase,
    query = {},
    stopAt,
    name = 'list',
    most = MOST_PAGES,
  }: { phase: Phase; query?: JsonObject; stopAt?: Json | undefined; name?: string; most?: number },
): Promise<Walk | undefined> {
  const { run, fixtures } = context;
  const shape = listShapeOf(run.spec.answers, operation);
  if (shape === undefined) return undefined;
  const base = await fixtures.base(operation, { phase });
  const idName = idNameOf(run.spec, operation);
  const wanted = stopAt === undefined ? undefined : identify(stopAt, idName);
  if (stopAt !== undefined && wanted === undefined) return undefined;
  const pages: Page[] = [];
  let draft: Draft | undefined = fromStart(run, shape, {
    ...base,
    query: { ...base.query, ...ownOf(shape, stopAt), ...query },
  });
  let last: Exchange | undefined;
  while (draft !== undefined && pages.length < most) {
    last = await run.send(draft, {
      phase,
      name: pages.length === 0 ? name : `${name}, page ${String(pages.length + 1)}`,
    });
    if (last.answer === undefined || last.answer.status >= 300) {
      const offered = pages.at(-1)?.exchange.value;
      if (last.answer !== undefined && pointerIn(offered) !== undefined) {
        const message = `the next page that an answer refers to gets ${String(last.answer.status)}`;
        const expected = 'a page; the last page must not refer to another';
        run.record.fail({ phase, name }, last, { check: 'paging', message, expected });
      }
      break;
    }
    const rows = rowsIn(shape, last.value);
    pages.push({ rows, exchange: last });
    const found = wanted === undefined ? undefined : rows.find((row) => identify(row, idName) === wanted);
    if (found) return { pages, found, last, complete: false };
    draft = next(shape, last, rows, query);
  }
  if (last === undefined || pages.length === 0) return undefined;
  return { pages, found: undefined, last, complete: draft === undefined };
}

/** The reference of an answer to its next page, a cursor or a URL; undefined if there is none. */
function pointerIn(value: Json | undefined): string | undefined {
  const [, pointer] = nextIn(value) ?? [];
  return typeof pointer === 'string' && pointer !== '' ? pointer : undefined;
}

function nextIn(value: Json | undefined): [string, Json] | undefined {
  return membersOf(value).find(([name]) => isNextName(name));
}

/** A member that refers to the next page. */
const isNextName = (name: string) => /^next/i.test(name) || /^cursor$/i.test(name);

/** The values of required filters that match this thing. */
function ownOf({ filters }: ListShape, thing: Json | undefined): JsonObject {
  const members = membersOf(thingIn(thing));
  const own = filters.flatMap(({ name }) =>
    members.filter(([member, value]) => sameName(member, name) && value !== null).map(([, value]) => [name, value]),
  );
  return Object.fromEntries(own) as JsonObject;
}

/** The request for the first page, if the draft has an offset or a page number. */
function fromStart(run: Context['run'], { offset, page }: ListShape, draft: Draft): Draft {
  for (const [parameter, start] of [
    [offset, 0],
    [page, page === undefined ? 1 : firstPage(page)],
  ] as const) {
    if (parameter === undefined || draft.query[parameter.name] === undefined) continue;
    const first: Draft = { ...draft, query: { ...draft.query, [parameter.name]: start } };
    if (run.judgeRequest(first).kind === 'valid') return first;
  }
  return draft;
}

export function rowsIn({ rows }: Pick<ListShape, 'rows'>, value: Json | undefined): JsonObject[] {
  const list = rows === undefined ? value : memberOf(value, rows);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/**
 * The request for the next page: by a link, a cursor, a URL, a page number or an offset; undefined after the last page.
 */
function next(shape: ListShape, exchange: Exchange, rows: JsonObject[], query: JsonObject): Draft | undefined {
  const { draft, value } = exchange;
  const { operation } = shape;
  const onward = (more: JsonObject): Draft => ({ ...draft, query: { ...draft.query, ...more } });
  const link = successOf(operation)?.links.find((each) => each.operationId === operation.id);
  const entries = Object.entries(link?.parameters ?? {});
  if (entries.length > 0) {
    const values = entries.map(([name, expression]) => [name, evaluate(expression, sourceOf(exchange))] as const);
    if (values.some(([, each]) => each === undefined || each === null)) return undefined;
    return onward(Object.fromEntries(values.map(([name, each]) => [name, each ?? null])));
  }
  const pointer = pointerIn(value);
  if (pointer !== undefined) return follow(shape, pointer, onward, draft);
  if (nextIn(value) !== undefined) return undefined;
  const limit = shape.limit ? query[shape.limit.name] : undefined;
  if (rows.length === 0 || (typeof limit === 'number' && rows.length < limit)) return undefined;
  if (shape.page)
    return onward({ [shape.page.name]: Number(draft.query[shape.page.name] ?? firstPage(shape.page)) + 1 });
  if (shape.offset) return onward({ [shape.offset.name]: Number(draft.query[shape.offset.name] ?? 0) + rows.length });
  return undefined;
}

/** The number of the first page: the parameter's default, else 0 if that is its minimum, else 1. */
function firstPage({ schema }: Parameter): number {
  return typeof schema.default === 'number' ? schema.default : schema.minimum === 0 ? 0 : 1;
}

/**
 * The request that `pointer` refers to. Of a URL only the query is used, so that the credential goes to no other
 * server.
 */
function follow(
  shape: ListShape,
  pointer: string,
  onward: (more: JsonObject) => Draft,
  draft: Draft,
): Draft | undefined {
  if (!/^(https?:|\/|\?)/.test(pointer)) return shape.cursor ? onward({ [shape.cursor.name]: pointer }) : undefined;
  const { searchParams } = new URL(pointer, 'http://localhost');
  const known = new Set(draft.operation.parameters.filter((each) => each.in === 'query').map(({ name }) => name));
  const query = Object.fromEntries(
    [...searchParams].filter(([name]) => known.has(name)).map(([name, text]) => [name, numberOr(text)]),
  );
  return { ...draft, query };
}

function numberOr(text: string): Json {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** The operation that lists what `creator` creates; undefined if there is none, or it cannot be called. */
export function listOf({ run, obstacle }: Context, creator: Operation): Operation | undefined {
  const collection = trimmed(creator.path);
  const list = run.spec.operations.find(({ method, path }) => method === 'GET' && trimmed(path) === collection);
  if (list === undefined || !isCollection(run.spec, creator)) return undefined;
  return pathNames(list).length === 0 && obstacle(list) === undefined ? list : undefined;
}

/** Whether a POST creates things that can be listed: it documents 201, or the document has a path to one such thing. */
export function isCollection({ operations }: Spec, creator: Operation): boolean {
  const makes = creator.answers.some(({ status }) => status === '201');
  return makes || operations.some((each) => each.path.includes('{') && collectionOf(each) === trimmed(creator.path));
}
