import { slotsOf } from '../cases/slots.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { isObject, type Json, memberOf, sameJson } from '../document/json.js';
import { thingIn } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { isBirthName, isVolatileName } from '../document/names.js';
import { flatten } from '../document/schema.js';
import type { Resource } from '../fixtures.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;

/** Checks that PUT replaces the thing (RFC 9110, section 9.3.4): omitted members are gone, or have their defaults. */
export async function runReplace(
  context: Context,
  editor: Operation,
  getter: Operation,
  resource: Resource,
): Promise<void> {
  const { run, fixtures, obstacle } = context;
  if (editor.method !== 'PUT' || obstacle(editor) !== undefined || obstacle(getter) !== undefined) return;
  const look = await fixtures.on(getter, resource);
  const draft = await fixtures.on(editor, resource);
  const got = look && (await run.send(look, { ...ANY, name: 'get what is replaced' }));
  if (look === undefined || draft === undefined || got?.answer === undefined || got.answer.status >= 300) return;
  const before = thingIn(got.value);
  const done = await run.send(draft, { ...ANY, name: 'replace it by only the required members' });
  if (done.answer === undefined || done.answer.status >= 300) return;
  const names = slotsOf(run.spec.requests, editor.body?.schema)
    .filter(({ path, required, schema }) => {
      const name = String(path[0]);
      const was = memberOf(before, name);
      const isTelling =
        was !== undefined && !isEmpty(was) && !sameJson(was, flatten(run.spec.requests, schema).default ?? null);
      return path.length === 1 && !required && isTelling && memberOf(draft.body, name) === undefined;
    })
    .map(({ path }) => String(path[0]))
    .filter((name) => !isBirthName(name) && !isVolatileName(name));
  if (names.length === 0) return;
  await run.send(look, {
    ...ANY,
    name: 'get what was replaced',
    check: ({ status }, value) =>
      names
        .filter(
          (name) => status < 300 && sameJson(memberOf(thingIn(value), name) ?? null, memberOf(before, name) ?? null),
        )
        .map((name) => {
          const message = `after ${editor.id}, the thing still has the ${name} that its body omits`;
          return practice(run.options, 'put-replaces', 'unchanged', message, `no ${name}, or its default`);
        }),
  });
}

/** Whether a value is one that servers use for an absent member. */
function isEmpty(value: Json): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
