import type { Context } from '../context.js';
import { type JsonObject, textOf } from '../document/json.js';
import { identify } from '../document/links.js';
import type { Operation, Parameter } from '../document/model.js';
import { isCursorName, isProtectionName } from '../document/names.js';
import { flatten } from '../document/schema.js';
import { creatorOf } from './rows.js';
import { isLimit, type ListShape, listShapeOf, type Walk, walk } from './walk.js';

const PHASE = 'lists';
/** Most rows that are created to fill a page of the default size. */
const MOST_ROWS = 60;

/** Checks that a list without a parameter is the same as with the parameter's documented default. */
export async function runDefaults(context: Context, operation: Operation): Promise<void> {
  const { run } = context;
  const shape = listShapeOf(run.spec.answers, operation);
  if (shape === undefined || context.obstacle(operation) !== undefined) return;
  for (const parameter of shape.operation.parameters) {
    const value = flatten(run.spec.requests, parameter.schema).default;
    const { name } = parameter;
    if (parameter.in !== 'query' || value === undefined || isCursorName(name) || isProtectionName(name)) continue;
    if (isLimit(run.spec.requests, parameter)) await checkLimit(context, shape, parameter, Number(value));
    const [without, explicit] = [await first(context, shape, {}), await first(context, shape, { [name]: value })];
    if (without === undefined || explicit === undefined || idsIn(without) === idsIn(explicit)) continue;
    // A list that others change meanwhile proves nothing.
    const again = await first(context, shape, {});
    if (again === undefined || idsIn(again) !== idsIn(without)) continue;
    fail(context, without, name, `the rows of ${name}=${textOf(value)}`);
  }
}

/** Checks that a page has as many rows as the default limit, if there are more. */
async function checkLimit(context: Context, shape: ListShape, { name }: Parameter, limit: number): Promise<void> {
  const { run, fixtures } = context;
  const creator = creatorOf(context, shape.operation);
  // Things with unique values, such as users, cost too much to create so many.
  if (creator === undefined || limit > MOST_ROWS || fixtures.isUnique(creator)) return;
  const whole = await walk(context, shape.operation, {
    phase: PHASE,
    query: { [name]: limit },
    name: 'list all',
    most: 2,
  });
  const known = whole?.pages.reduce((sum, { rows }) => sum + rows.length, 0) ?? 0;
  for (let rows = known; rows <= limit; rows++) {
    if (run.outOfTime()) return;
    const made = await fixtures.create(creator, { phase: PHASE, name: 'create rows for a full page' });
    if (made === undefined) return;
  }
  const page = await first(context, shape, {});
  const rows = page?.pages[0]?.rows.length;
  if (page === undefined || rows === undefined || rows === limit) return;
  fail(context, page, name, `${String(limit)} rows, not ${String(rows)}`);
}

async function first(context: Context, { operation }: ListShape, query: JsonObject): Promise<Walk | undefined> {
  return await walk(context, operation, { phase: PHASE, query, name: 'list by default', most: 1 });
}

function idsIn({ pages }: Walk): string {
  return JSON.stringify(pages.flatMap(({ rows }) => rows.map((row) => identify(row, 'id') ?? row)));
}

function fail({ run }: Context, { last }: Walk, name: string, expected: string): void {
  const message = `without ${name} the list is not that of its documented default`;
  run.record.fail({ phase: PHASE, name: 'list by default' }, last, { check: 'default', message, expected });
}
