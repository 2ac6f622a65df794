import type { Context } from '../context.js';
import type { JsonObject } from '../document/json.js';
import type { Operation } from '../document/model.js';
import type { Credential } from '../http/draft.js';
import { type ListShape, type Page, rowsIn, walk } from './walk.js';

/**
 * The rows that another identity gets with the cursor of a page of the run's own identity; undefined if the list has no
 * cursor or no second page.
 */
export async function rowsByForeignCursor(
  { run, credentials, ...context }: Context,
  list: Operation,
  { cursor, limit, rows }: ListShape,
  credential: Credential,
): Promise<Page | undefined> {
  if (cursor === undefined || limit === undefined) return undefined;
  const query: JsonObject = { [limit.name]: Math.max(1, limit.schema.minimum ?? 1) };
  const own = await walk({ run, credentials, ...context }, list, { phase: 'security', query, name: 'list', most: 2 });
  const [, second] = own?.pages ?? [];
  const draft = second?.exchange.draft;
  if (draft?.query[cursor.name] === undefined) return undefined;
  const exchange = await run.send(credentials.attach(draft, credential), {
    phase: 'security',
    name: 'list with the cursor of another identity',
    expectation: 'any',
    outside: true,
  });
  return { rows: rowsIn({ rows }, exchange.value), exchange };
}
