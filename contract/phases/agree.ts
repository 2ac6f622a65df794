import type { Context } from '../context.js';
import { memberOf, sameJson } from '../document/json.js';
import { identify, thingIn } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { isVolatileName } from '../document/names.js';
import type { Resource } from '../fixtures.js';
import { listOf, walk } from './walk.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;

/** Checks that the row of a thing in its list has the same values as the thing that GET returns. */
export async function expectAgreement(
  context: Context,
  getter: Operation | undefined,
  resource: Resource,
  how: string,
): Promise<void> {
  const { run, fixtures, obstacle } = context;
  const list = listOf(context, resource.creator);
  if (list === undefined || getter === undefined || obstacle(getter) !== undefined) return;
  const draft = await fixtures.on(getter, resource);
  if (draft === undefined) return;
  const walked = await walk(context, list, { phase: 'sequences', stopAt: resource.exchange.value });
  const got = await run.send(draft, { ...ANY, name: `get it ${how}` });
  const thing = thingIn(got.value);
  const row = walked?.found;
  if (got.answer === undefined || got.answer.status >= 300 || row === undefined || thing === undefined) return;
  if (!sameJson(identify(row, 'id'), identify(thing, 'id'))) return;
  for (const [name, told] of Object.entries(row)) {
    const wanted = memberOf(thing, name);
    if (wanted === undefined || isVolatileName(name) || sameJson(told, wanted)) continue;
    run.record.fail({ ...ANY, name: `list it ${how}` }, walked?.last ?? got, {
      check: 'sequence',
      message: `${name} in the list differs from the fetched thing`,
      expected: `${name}: ${JSON.stringify(wanted)}`,
    });
  }
}
