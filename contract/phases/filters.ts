import type { Context } from '../context.js';
import { type Json, type JsonObject, memberOf, sameJson, textOf } from '../document/json.js';
import { identify } from '../document/links.js';
import type { Parameter } from '../document/model.js';
import { isVolatileName, sameName } from '../document/names.js';
import { flatten, typesOf } from '../document/schema.js';
import { canBeAsked } from '../laws/comparisons.js';
import type { Made } from './rows.js';
import { type ListShape, type Walk, walk } from './walk.js';

const PHASE = 'lists';
/** Pages that a list with a filter has at most, so that it is read to its end. */
const PAGES = 20;

/** Checks a filter whose name shows what it compares: instants, the items of a list, or a word to search for. */
export async function checkOpenFilter(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  everything: JsonObject[],
  made: Made,
): Promise<void> {
  const members = Object.keys(shape.row.properties ?? {});
  const [, stem = '', side = ''] =
    /^(.+?)[_.\[]?(after|before|since|until|from|to|gte?|lte?)\]?$/i.exec(parameter.name) ?? [];
  const instant = members.find((name) =>
    sameName(name.replace(/_?(at|on|date|time)$/i, ''), stem.replace(/_?(at|on)$/i, '')),
  );
  if (side !== '' && instant !== undefined) {
    // A member such as `lastUsedAt` may have changed since the whole list was read.
    if (isVolatileName(instant)) return;
    await checkSide(context, shape, parameter, instant, /after|since|from|gte?/i.test(side), everything);
  } else if (/^(q|query|search|term|text|keywords?)$/i.test(parameter.name)) {
    // A search in a query language does not take a plain word.
    if (isLanguage(parameter)) return;
    await checkSearch(context, shape, parameter, everything, made);
  } else {
    const list = members.find((name) => sameName(name, `${parameter.name}s`));
    const schema = list === undefined ? undefined : flatten(context.run.spec.answers, shape.row.properties?.[list]);
    const items = schema?.items;
    // What a parameter says of objects is no plain value.
    const areObjects =
      typeof items === 'object' && typesOf(flatten(context.run.spec.answers, items)).includes('object');
    if (list !== undefined && schema && typesOf(schema).includes('array') && !areObjects)
      await checkItem(context, shape, parameter, list, everything);
  }
}

function isLanguage({ description }: Parameter): boolean {
  return /\b(language|syntax|expressions?|operators?|grammar|lucene|odata|jsonpath|regex|sql)\b/i.test(description);
}

/** Checks a filter by instants before or after a given one. Rows without an instant match neither. */
async function checkSide(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  member: string,
  isAfter: boolean,
  everything: JsonObject[],
): Promise<void> {
  if (flatten(context.run.spec.requests, parameter.schema).format !== 'date-time') return;
  const instantOf = (row: JsonObject) => (typeof row[member] === 'string' ? Date.parse(row[member]) : Number.NaN);
  const instants = [...new Set(everything.map(instantOf).filter((at) => !Number.isNaN(at)))].sort((a, b) => a - b);
  const bound = middleOfPause(instants);
  if (bound === undefined) return;
  const value = new Date(bound).toISOString();
  const isWanted = (row: JsonObject) => (isAfter ? instantOf(row) > bound : instantOf(row) < bound);
  await compare(
    context,
    shape,
    parameter,
    value,
    everything,
    isWanted,
    `${member} ${isAfter ? 'after' : 'before'} ${value}`,
  );
}

/**
 * Returns the middle of the longest pause in the ascending `instants`, in milliseconds since 1970; undefined if none is long
 * enough. It is none of the instants, because servers differ about equal ones, and far from them, because some round.
 */
function middleOfPause(instants: readonly number[]): number | undefined {
  const pauses = instants.map((end, index) => ({ end, length: end - (instants[index - 1] ?? end) }));
  const longest = pauses.reduce((best, each) => (each.length > best.length ? each : best), { end: 0, length: 0 });
  return longest.length < 2 ? undefined : longest.end - Math.floor(longest.length / 2);
}

async function checkItem(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  member: string,
  everything: JsonObject[],
): Promise<void> {
  const items = everything.flatMap((row) => (Array.isArray(row[member]) ? row[member] : []));
  const has = (row: JsonObject, item: Json) =>
    Array.isArray(row[member]) && row[member].some((each) => sameJson(each, item));
  // An item that some rows have and others lack.
  const item = items.find((each) => canBeAsked(each) && !everything.every((row) => has(row, each)));
  if (item === undefined) return;
  await compare(context, shape, parameter, item, everything, (row) => has(row, item), `${member} with that item`);
}

/** Checks that a search for a word finds the row that contains it, and not every row. */
async function checkSearch(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  everything: JsonObject[],
  { words }: Made,
): Promise<void> {
  const [entry] = [...words].slice(-1);
  if (entry === undefined || everything.length < 3) return;
  const [id, word] = entry;
  for (const [asked, label] of [
    [word, word],
    [word.toUpperCase(), `${word} in upper case`],
  ] as const) {
    const name = `list with ${parameter.name}=${label}`;
    const walked = await search(context, shape, parameter, asked, everything.length, name);
    if (walked === undefined || !walked.complete) return;
    const rows = walked.pages.flatMap((page) => page.rows);
    if (rows.length > 0 && rows.length >= everything.length)
      fail(context, walked, name, `${parameter.name} returns every row`, 'fewer rows than without it');
    // A search may or may not ignore letter case.
    else if (asked === word && !rows.some((row) => JSON.stringify(identify(row, 'id')) === id))
      fail(context, walked, name, `${parameter.name} does not find a row by its own words`, `the row ${id}`);
  }
}

/** Lists with a filter, in some pages if the list has several rows. `count` is that of the rows without the filter. */
async function search(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  value: Json,
  count: number,
  name: string,
) {
  const { limit } = shape;
  const most = Math.min(Math.max(2, Math.ceil(count / PAGES)), limit?.schema.maximum ?? Infinity);
  const query = { [parameter.name]: value, ...(limit && { [limit.name]: most }) };
  return await walk(context, shape.operation, { phase: PHASE, query, name });
}

/** Lists with a filter, and compares the rows with the matching rows of the whole list. */
async function compare(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  value: Json,
  everything: JsonObject[],
  isWanted: (row: JsonObject) => boolean,
  wanted: string,
): Promise<void> {
  const name = `list with ${parameter.name}`;
  const walked = await search(context, shape, parameter, value, everything.length, name);
  if (walked === undefined) return;
  const rows = walked.pages.flatMap((page) => page.rows);
  const ids = new Set(rows.map((row) => JSON.stringify(identify(row, 'id') ?? row)));
  if (rows.some((row) => !isWanted(row)))
    fail(context, walked, name, `${parameter.name} returns rows that do not match`, `rows with ${wanted}`);
  const lost = everything.filter(isWanted).some((row) => !ids.has(JSON.stringify(identify(row, 'id') ?? row)));
  if (lost && walked.complete)
    fail(context, walked, name, `${parameter.name} omits matching rows`, `every row with ${wanted}`);
}

function fail({ run }: Context, walked: Walk, name: string, message: string, expected: string): void {
  run.record.fail({ phase: PHASE, name }, walked.last, { check: 'filter', message, expected });
}

/** The query of a member such as `next`, if it is a URL; undefined otherwise. */
export function queryOf(address: Json | undefined): URLSearchParams | undefined {
  if (typeof address !== 'string' || !/^(https?:|\/|\?)/.test(address)) return undefined;
  return new URL(address, 'http://localhost').searchParams;
}

/** Checks the URLs of other pages: each contains the query of the request, and `previous` leads to the page before. */
export async function checkAddresses(context: Context, shape: ListShape, query: JsonObject): Promise<void> {
  const { run } = context;
  if (shape.limit === undefined) return;
  const name = 'list page by page';
  const asked = { ...query, [shape.limit.name]: 1 };
  const walked = await walk(context, shape.operation, { phase: PHASE, query: asked, name, most: 3 });
  for (const [index, { exchange, rows }] of (walked?.pages ?? []).entries()) {
    const tell = (message: string, expected: string) => {
      run.record.fail({ phase: PHASE, name }, exchange, { check: 'paging', message, expected });
    };
    for (const member of ['next', 'previous', 'prev']) {
      const address = queryOf(memberOf(exchange.value, member));
      if (address === undefined) continue;
      for (const [parameter, value] of Object.entries(asked))
        if (!address.has(parameter))
          tell(`${member} omits the parameter ${parameter}`, `${parameter}=${textOf(value)}`);
    }
    const before = walked?.pages[index - 1];
    const previous = ['previous', 'prev']
      .map((each) => memberOf(exchange.value, each))
      .find((each) => each !== undefined);
    if (before === undefined || previous === undefined) continue;
    const address = queryOf(previous);
    if (address === undefined) {
      if (shape.page || shape.offset) tell('a page after the first has no previous page', 'a URL');
      continue;
    }
    const { base, ...rest } = { base: exchange.draft, query: {} };
    const back = await run.send(
      { ...base, ...rest, rawQuery: address.toString() },
      { phase: PHASE, name: 'the previous page', expectation: 'any' },
    );
    const first = shape.rows === undefined ? back.value : memberOf(back.value, shape.rows);
    const idsIn = (list: Json | undefined) =>
      JSON.stringify(Array.isArray(list) ? list.map((row) => identify(row, 'id') ?? row) : []);
    if (back.answer && back.answer.status < 300 && idsIn(first) !== idsIn(before.rows) && rows.length > 0)
      tell('previous does not lead to the page before', 'the rows of the page before');
  }
}
