import { slotsOf, valueAt, withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import { canContain } from '../checks/comparable.js';
import { isSame } from '../checks/echo.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { isObject, type Json, type JsonObject, memberOf, membersOf, sameJson, textOf } from '../document/json.js';
import { originOf, thingIn } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { isBirthName, isPasswordName, isStateName, isTombstoneName, isVolatileName } from '../document/names.js';
import { flatten } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import type { Resource } from '../fixtures.js';
import type { Draft } from '../http/draft.js';
import { membersToSend, withAnother } from '../variation.js';
import { expectInvalid, expectValid } from './validity.js';

const PHASE = 'sequences';

/** Edits one member after the other, and checks that the answer and the fetched thing contain what was sent. */
export async function runEdits(
  context: Context,
  editor: Operation,
  getter: Operation | undefined,
  resource: Resource,
): Promise<void> {
  const { run, fixtures, obstacle } = context;
  if (obstacle(editor) !== undefined) return;
  for (const slot of membersToSend(run, editor)) {
    const name = String(slot.path[0]);
    const now = await look(context, getter, resource);
    const good = await fixtures.on(editor, resource);
    if (good === undefined || run.outOfTime()) return;
    const present = memberOf(thingIn(now?.value ?? resource.exchange.value), name);
    // A member that is also in the path, such as the id, is not edited.
    if (present !== undefined && Object.values(good.path).some((value) => textOf(value) === textOf(present))) continue;
    const other = editOf(context, editor, good, slot, present);
    if (other === undefined) continue;
    const edit = withOwnId(other, slot.path, present);
    const sent = valueAt(edit.body, slot.path);
    // An edit of a state or an end mark may end the thing, so that no later edit would work.
    if (isStateName(name) || (isTombstoneName(name) && typeof sent !== 'boolean')) continue;
    const before = thingIn(now?.value);
    await tryOddText(context, edit, slot.path, name);
    if (!(await tryEdit(context, edit, getter, resource, name, sent, before)) || typeof sent !== 'boolean') continue;
    // A flag such as `disabled` is set back.
    const stops = sent && isTombstoneName(name) && resource.token !== undefined ? resource.token : undefined;
    if (stops !== undefined) await expectInvalid(context, stops, `while ${name}`);
    const back = { ...edit, body: { ...(isObject(edit.body) && edit.body), [name]: !sent } };
    const isBack = await tryEdit(context, back, getter, resource, name, !sent);
    if (stops !== undefined && isBack) await expectValid(context, stops, `after ${name} was set back`);
  }
}

/** A text that a server easily changes: it trims or normalises it, or cuts it between two UTF-16 units. */
const ODD = ' Ame\u0301lie  \u{1F511} ';

/** Edits a member to a text that a server easily changes, and checks the answer. */
async function tryOddText({ run }: Context, edit: Draft, path: (string | number)[], name: string): Promise<void> {
  const odd = { ...edit, body: withValue(edit.body ?? {}, path, ODD) };
  const isPlain = typeof valueAt(edit.body, path) === 'string' && !isPasswordName(name);
  if (!isPlain || run.judgeRequest(odd).kind !== 'valid') return;
  const message = `after ${edit.operation.id}, ${name} in the answer differs from what was sent`;
  await run.send(odd, {
    phase: PHASE,
    name: `edit its ${name} to ${JSON.stringify(ODD)}`,
    expectation: 'any',
    check: ({ status }, value) => {
      const told = memberOf(thingIn(value), name);
      if (status >= 300 || told === undefined || told === ODD) return [];
      return [practice(run.options, 'echo', 'echo', message, JSON.stringify(ODD))];
    },
  });
}

/** An edit with only this member if the operation is a PATCH that allows it, else with the whole thing. */
function editOf(
  { run }: Context,
  editor: Operation,
  good: Draft,
  slot: Parameters<typeof withAnother>[2],
  present: Json | undefined,
): Draft | undefined {
  const alone = editor.method === 'PATCH' ? withAnother(run, { ...good, body: {} }, slot, present) : undefined;
  return alone ?? withAnother(run, good, slot, present);
}

/** Leaves the id that an edited object contains, such as `metadata.name`, as the path has it. */
function withOwnId(edit: Draft, path: (string | number)[], present: Json | undefined): Draft {
  let { body } = edit;
  for (const [name, member] of membersOf(present))
    if (isOwnId(edit, member) && isObject(valueAt(body, path)))
      body = withValue(body ?? {}, [...path, name], member) ?? body;
  return { ...edit, body };
}

function isOwnId({ path }: Draft, value: Json | undefined): boolean {
  return (
    (typeof value === 'string' || typeof value === 'number') &&
    Object.values(path).some((each) => textOf(each) === textOf(value))
  );
}

async function tryEdit(
  context: Context,
  draft: Draft,
  getter: Operation | undefined,
  resource: Resource,
  name: string,
  sent: Json | undefined,
  before?: JsonObject,
): Promise<boolean> {
  const { run } = context;
  const check = (place: string, asked: Operation) => (status: number, value: Json | undefined) => {
    const canSay = sent === undefined || canContain(run.judge, asked, status, value, name, sent);
    return [...(canSay ? kept(draft, name, sent, value, place) : []), ...strayed(run, draft, before, value, place)];
  };
  const edited = await run.send(draft, {
    phase: PHASE,
    name: `edit its ${name}`,
    check: ({ status }, value) => (status < 300 ? check('the answer', draft.operation)(status, value) : []),
  });
  if (edited.answer === undefined || edited.answer.status >= 300) return false;
  if (getter !== undefined) await look(context, getter, resource, check('the thing', getter));
  return true;
}

async function look(
  { run, fixtures, obstacle }: Context,
  getter: Operation | undefined,
  resource: Resource,
  check: (status: number, value: Json | undefined) => Finding[] = () => [],
): Promise<Exchange | undefined> {
  const draft = getter && obstacle(getter) === undefined ? await fixtures.on(getter, resource) : undefined;
  return (
    draft &&
    (await run.send(draft, {
      phase: PHASE,
      name: 'get what is edited',
      check: ({ status }, value) => (status < 300 ? check(status, value) : []),
    }))
  );
}

/**
 * Finds members that an edit changed although it did not contain them: those that requests can set, ids, and creation
 * times. Other members, such as a slug, may be derived from an edited one.
 */
export function strayed(
  { spec }: Pick<Context['run'], 'spec'>,
  { operation, body }: Draft,
  before: JsonObject | undefined,
  value: Json | undefined,
  place: string,
): Finding[] {
  // A PUT replaces the thing, so omitted members may change.
  if (operation.method === 'PUT') return [];
  const settable = spec.operations
    .filter((each) => each === operation || each === originOf(spec, operation)?.creator)
    .flatMap((each) => slotsOf(spec.requests, each.body?.schema).map(({ path }) => String(path[0])));
  const after = thingIn(value);
  // By OpenAPI, an omitted member has its default, in an edit too.
  const defaults = new Map(
    slotsOf(spec.requests, operation.body?.schema).flatMap(({ path, schema }): [string, Json][] => {
      const wanted = flatten(spec.requests, schema).default;
      return path.length > 1 || wanted === undefined ? [] : [[String(path[0]), wanted]];
    }),
  );
  const names = Object.keys(before ?? {}).filter(
    (name) => (settable.includes(name) || isBirthName(name)) && memberOf(body, name) === undefined,
  );
  return names.flatMap((name): Finding[] => {
    const [was, is] = [memberOf(before, name), memberOf(after, name)];
    if (was === undefined || is === undefined || isVolatileName(name) || sameJson(was, is)) return [];
    if (defaults.has(name) && sameJson(defaults.get(name) ?? null, is)) return [];
    const message = `after ${operation.id}, ${name} in ${place} has changed, although it was not sent`;
    return [{ check: 'unchanged', message, expected: `${name}: ${JSON.stringify(was)}` }];
  });
}

function kept(draft: Draft, name: string, sent: Json | undefined, value: Json | undefined, place: string): Finding[] {
  const told = memberOf(thingIn(value), name);
  if (told === undefined || isVolatileName(name) || (sent !== undefined && isSame(told, comparable(sent, told))))
    return [];
  const message = `after ${draft.operation.id}, ${name} in ${place} differs from what was sent`;
  return [{ check: 'sequence', message, expected: `${name}: ${JSON.stringify(sent)}` }];
}

/** What was sent, without the members of an object that no edit changes, such as its creation time. */
function comparable(sent: Json, told: Json): Json {
  if (!isObject(sent) || !isObject(told)) return sent;
  return Object.fromEntries(
    Object.entries(sent).map(([name, member]) => [name, isBirthName(name) ? (told[name] ?? member) : member]),
  );
}
