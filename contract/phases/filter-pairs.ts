import type { Context } from '../context.js';
import { type Json, type JsonObject, textOf } from '../document/json.js';
import { identify } from '../document/links.js';
import type { Parameter } from '../document/model.js';
import { isOwnerName, isVolatileName, sameName } from '../document/names.js';
import { flatten } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import { isPaging, type ListShape, walk } from './walk.js';

const PHASE = 'lists';
/** Most pairs of filters that are tested. */
const MOST_PAIRS = 40;

/** A filter with a value that matches some rows and not others, and the ids of the matching rows. */
interface Filter {
  parameter: Parameter;
  value: Json;
  kept: Set<string>;
}

/** Checks that two filters together return exactly the rows that each of them returns alone. */
export async function checkFilterPairs(
  context: Context,
  shape: ListShape,
  everything: JsonObject[],
  words: string[],
): Promise<void> {
  const filters: Filter[] = [];
  for (const parameter of shape.operation.parameters.filter((each) => isFilter(context, shape, each))) {
    if (context.run.outOfTime()) return;
    const filter = await alone(context, shape, parameter, everything, words);
    if (filter !== undefined) filters.push(filter);
  }
  const pairs = filters.flatMap((one, index) => filters.slice(index + 1).map((two) => [one, two] as const));
  for (const [one, two] of pairs.slice(0, MOST_PAIRS)) {
    // If both match the same rows, an ignored filter would not show.
    const isTelling = [...one.kept].some((id) => !two.kept.has(id)) || [...two.kept].some((id) => !one.kept.has(id));
    if (!isTelling || context.run.outOfTime()) continue;
    const query = { [one.parameter.name]: one.value, [two.parameter.name]: two.value };
    const both = await list(context, shape, query);
    if (both === undefined) continue;
    const stray = [...both.ids].find((id) => !one.kept.has(id) || !two.kept.has(id));
    const lost = [...one.kept].find((id) => two.kept.has(id) && !both.ids.has(id));
    const names = `${one.parameter.name} and ${two.parameter.name} together`;
    if (stray !== undefined) fail(context, both.last, `${names} return rows that one of them does not match`);
    else if (lost !== undefined) fail(context, both.last, `${names} omit rows that both of them match`);
  }
}

/**
 * Whether a parameter filters rows: not by members that change by themselves, such as a time of use, and not by page.
 */
function isFilter({ run }: Context, { row }: ListShape, parameter: Parameter): boolean {
  const { name, in: place } = parameter;
  if (place !== 'query' || isVolatileName(name) || isOwnerName(name) || /order|sort|^include|never/i.test(name))
    return false;
  if (isPaging(run.spec.requests, parameter)) return false;
  const members = Object.keys(row.properties ?? {});
  return (
    /^(q|query|search)$/i.test(name) ||
    members.some((member) => sameName(member, name) || sameName(member, `${name}s`)) ||
    /(after|before|since|until)$/i.test(name)
  );
}

/** The filter with a value that matches some rows and not others; undefined if none is found. */
async function alone(
  context: Context,
  shape: ListShape,
  parameter: Parameter,
  everything: JsonObject[],
  words: string[],
): Promise<Filter | undefined> {
  for (const value of valuesFor(context, shape, parameter, everything, words)) {
    const listed = await list(context, shape, { [parameter.name]: value });
    if (listed === undefined || listed.ids.size === 0 || listed.ids.size >= everything.length) continue;
    return { parameter, value, kept: listed.ids };
  }
  return undefined;
}

function valuesFor(
  { run }: Context,
  { row }: ListShape,
  { name, schema }: Parameter,
  rows: JsonObject[],
  searched: string[],
): Json[] {
  const { enum: words, format, type } = flatten(run.spec.requests, schema);
  if (words) return words.slice(0, 4);
  if (type === 'boolean') return [true, false];
  const members = Object.keys(row.properties ?? {});
  const own = members.find((member) => sameName(member, name) || sameName(member, `${name}s`));
  if (own !== undefined)
    return distinct(rows.flatMap((each) => each[own] ?? []).filter((each) => typeof each !== 'object'));
  const middle = rows[Math.floor(rows.length / 2)] ?? {};
  if (format !== 'date-time') return searched.slice(-3);
  const stem = name.replace(/_?(after|before|since|until)$/i, '');
  const [, instant] =
    Object.entries(middle).find(([member]) => sameName(member.replace(/_?(at|on)$/i, ''), stem)) ?? [];
  return typeof instant === 'string' ? [instant] : [];
}

const distinct = (values: Json[]) => [...new Set(values)].slice(0, 3);

async function list(context: Context, shape: ListShape, query: JsonObject) {
  const { limit } = shape;
  const { maximum = 50 } = flatten(context.run.spec.requests, limit?.schema);
  const asked = { ...query, ...(limit && { [limit.name]: Math.min(maximum, 200) }) };
  const name = `list with ${Object.entries(query)
    .map(([parameter, value]) => `${parameter}=${textOf(value)}`)
    .join('&')}`;
  const walked = await walk(context, shape.operation, { phase: PHASE, query: asked, name });
  if (walked === undefined || !walked.complete) return undefined;
  const rows = walked.pages.flatMap((page) => page.rows);
  return { last: walked.last, ids: new Set(rows.map((row) => JSON.stringify(identify(row, 'id') ?? row))) };
}

function fail({ run }: Context, exchange: Exchange, message: string): void {
  const name = 'list with two filters';
  run.record.fail({ phase: PHASE, name }, exchange, {
    check: 'filter',
    message,
    expected: 'the rows that both match alone, and no others',
  });
}
