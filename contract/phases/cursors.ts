import type { Context } from '../context.js';
import type { JsonObject } from '../document/json.js';
import { identify } from '../document/links.js';
import type { Operation } from '../document/model.js';
import type { Exchange } from '../exchange.js';
import type { Credential } from '../http/draft.js';
import { type ListShape, rowsIn, walk } from './walk.js';

/**
 * The exchange in which another identity gets rows of the run's own identity with the cursor of its page; undefined if
 * it gets none, or the list has no cursor or no second page. `visible` are the ids that the other identity sees anyway.
 */
export async function takenByCursor(
  context: Context,
  list: Operation,
  { cursor, limit, rows }: ListShape,
  credential: Credential,
  visible: string[],
): Promise<Exchange | undefined> {
  if (cursor === undefined || limit === undefined) return undefined;
  const { run, credentials } = context;
  const query: JsonObject = { [limit.name]: Math.max(1, limit.schema.minimum ?? 1) };
  const own = await walk(context, list, { phase: 'security', query, most: 2 });
  const [, second] = own?.pages ?? [];
  const draft = second?.exchange.draft;
  if (draft?.query[cursor.name] === undefined) return undefined;
  const exchange = await run.send(credentials.attach(draft, credential), {
    phase: 'security',
    name: TAKEN,
    expectation: 'any',
    outside: true,
  });
  const ids = second?.rows.map(idOf).filter((id) => !visible.includes(id)) ?? [];
  return rowsIn({ rows }, exchange.value).some((row) => ids.includes(idOf(row))) ? exchange : undefined;
}

export const TAKEN = 'list with the cursor of another identity';

const idOf = (row: JsonObject) => JSON.stringify(identify(row, 'id') ?? row);
