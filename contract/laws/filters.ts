import type { Context } from '../context.js';
import { type Json, type JsonObject, textOf } from '../document/json.js';
import { identify } from '../document/links.js';
import { isTombstoneName, isVolatileName } from '../document/names.js';
import { type ListShape, type Walk, walk } from '../phases/walk.js';
import { at, compared, matches, valuesFor } from './comparisons.js';
import type { FilterLaw, SortLaw } from './types.js';

const PHASE = 'lists';

/** Checks the laws about the filters and sort orders of a list. */
export async function checkFilterLaws(context: Context, shape: ListShape): Promise<void> {
  const { filters = [], sorts = [] } = context.run.options.laws ?? {};
  const own = filters.filter(({ operation }) => operation === shape.operation.id);
  const ordered = sorts.filter(({ operation }) => operation === shape.operation.id);
  if (own.length === 0 && ordered.length === 0) return;
  const groups = new Map<string, FilterLaw[]>();
  for (const law of own) {
    const key = `${law.parameter} ${JSON.stringify(law.value)}`;
    groups.set(key, [...(groups.get(key) ?? []), law]);
  }
  for (const laws of groups.values()) await checkFilter(context, shape, laws);
  for (const law of ordered) await checkSort(context, shape, law);
}

/** Rows of the pages that are read: several pages of most lists, because a server may order or filter only the first. */
const PAGE = 25;

async function rowsOf(context: Context, shape: ListShape, query: JsonObject, name: string) {
  const most = Math.min(PAGE, shape.limit?.schema.maximum ?? PAGE);
  const limit = shape.limit && { [shape.limit.name]: Math.max(most, shape.limit.schema.minimum ?? 0) };
  const walked = await walk(context, shape.operation, { phase: PHASE, query: { ...limit, ...query }, name });
  return walked && { walked, rows: walked.pages.flatMap(({ rows }) => rows) };
}

async function checkFilter(context: Context, shape: ListShape, laws: FilterLaw[]): Promise<void> {
  const [law] = laws;
  if (law === undefined || context.run.outOfTime()) return;
  const members = laws.flatMap(({ member }) => member);
  // A filter by an end mark such as `revokedAt` needs a list that includes the revoked rows.
  const included = members.some(isTombstoneName)
    ? Object.fromEntries(
        shape.operation.parameters.filter(({ name }) => /^include/i.test(name)).map(({ name }) => [name, true]),
      )
    : {};
  const whole = await rowsOf(context, shape, included, 'list everything');
  if (whole === undefined) return;
  for (const value of law.value === undefined ? valuesFor(law, whole.rows) : [law.value]) {
    const name = `list with ${law.parameter}=${textOf(value)}`;
    const kept = await rowsOf(context, shape, { [law.parameter]: value }, name);
    if (kept === undefined) continue;
    const isWanted = (row: JsonObject) => laws.every((each) => matches(each, row, value));
    const ids = new Set(kept.rows.map(idOf));
    const stray = kept.rows.find((row) => !isWanted(row));
    // A member such as `lastUsedAt` may have changed since the whole list was read.
    const isSteady = whole.walked.complete && !members.some(isVolatileName);
    const lost = isSteady && whole.rows.find((row) => isWanted(row) && !ids.has(idOf(row)));
    if (stray === undefined && !lost) continue;
    const how = stray === undefined ? 'omits matching rows' : 'returns rows that do not match';
    fail(context, kept.walked, name, `the filter ${law.parameter} ${how}`, `rows where ${describe(laws)}`);
  }
}

const idOf = (row: JsonObject) => JSON.stringify(identify(row, 'id') ?? row);

async function checkSort(context: Context, shape: ListShape, law: SortLaw): Promise<void> {
  if (context.run.outOfTime()) return;
  const { parameter, value, member, descending = false, nulls, ignoreCase = false } = law;
  const sorting = parameter === undefined ? 'the default order' : `${parameter}=${String(value)}`;
  const name = `list with ${sorting}`;
  const listed = await rowsOf(context, shape, parameter === undefined ? {} : { [parameter]: value ?? null }, name);
  if (listed === undefined) return;
  const all = listed.rows.map((row) => {
    const key = at(row, member);
    return typeof key === 'string' && ignoreCase ? key.toLowerCase() : key;
  });
  // Without `nulls` rows without the member may be anywhere, and the others are in order all the same.
  const keys = nulls === undefined ? all.filter((key) => key !== null) : all;
  const rank = (key: Json) => (key === null ? (nulls === 'first' ? 0 : 2) : 1);
  const isBefore = (a: Json, b: Json) => (a === null || b === null ? rank(a) <= rank(b) : compared(a, b) <= 0);
  const isOrdered = keys.every((key, index) => {
    const before = keys[index - 1];
    if (before === undefined) return true;
    return descending ? isBefore(key, before) : isBefore(before, key);
  });
  if (isOrdered) return;
  const message = `${sorting} does not sort by ${member}`;
  fail(context, listed.walked, name, message, `${member} ${descending ? 'descending' : 'ascending'}`);
}

function describe(laws: FilterLaw[]): string {
  return laws.map(({ member, compare }) => `${[member].flat().join(' or ')} ${compare}`).join(' and ');
}

function fail({ run }: Context, { last }: Walk, name: string, message: string, expected: string): void {
  run.record.fail({ phase: PHASE, name }, last, { check: 'law', message: `by a law: ${message}`, expected });
}
