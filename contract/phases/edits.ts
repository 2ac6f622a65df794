import { slotsOf, valueAt, withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import { canContain } from '../checks/comparable.js';
import { isSame } from '../checks/echo.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { isObject, type Json, type JsonObject, memberOf, sameJson, textOf } from '../document/json.js';
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

/** Edits one member after the other, and looks whether the answer, and the thing afterwards, say what was sent. */
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
    // Its address is no member to edit, even where the body has it again.
    if (present !== undefined && Object.values(good.path).some((value) => textOf(value) === textOf(present))) continue;
    const edit = editOf(context, editor, good, slot, present);
    if (edit === undefined) continue;
    const sent = valueAt(edit.body, slot.path);
    // What ends it, or may, is no edit after which anything else could be tried.
    if (isStateName(name) || (isTombstoneName(name) && typeof sent !== 'boolean')) continue;
    const before = thingIn(now?.value);
    await tryOddText(context, edit, slot.path, name);
    if (!(await tryEdit(context, edit, getter, resource, name, sent, before)) || typeof sent !== 'boolean') continue;
    // A thing that can be stopped and started again is left as it was.
    const stops = sent && isTombstoneName(name) && resource.token !== undefined ? resource.token : undefined;
    if (stops !== undefined) await expectInvalid(context, stops, `while ${name}`);
    const back = { ...edit, body: { ...(isObject(edit.body) && edit.body), [name]: !sent } };
    const isBack = await tryEdit(context, back, getter, resource, name, !sent);
    if (stops !== undefined && isBack) await expectValid(context, stops, `after ${name} was taken back`);
  }
}

/** Easily trimmed, normalised or cut where a character takes two units. */
const ODD = ' Ame\u0301lie  \u{1F511} ';

/** An edit to a text that is easily kept otherwise. */
async function tryOddText({ run }: Context, edit: Draft, path: (string | number)[], name: string): Promise<void> {
  const odd = { ...edit, body: withValue(edit.body ?? {}, path, ODD) };
  const isPlain = typeof valueAt(edit.body, path) === 'string' && !isPasswordName(name);
  if (!isPlain || run.judgeRequest(odd).kind !== 'valid') return;
  const message = `after ${edit.operation.id} its answer has another ${name} than was sent`;
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

/** An edit of this member alone where the operation takes that, as a PATCH does, else of the whole thing. */
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
    return [
      ...(canSay ? kept(draft.operation, name, sent, value, place) : []),
      ...strayed(run, draft, before, value, place),
    ];
  };
  const edited = await run.send(draft, {
    phase: PHASE,
    name: `edit its ${name}`,
    check: ({ status }, value) => (status < 300 ? check('its answer', draft.operation)(status, value) : []),
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
 * What an edit has changed without being asked: of the members that can be sent, and of what a thing is known by. What
 * a server derives from others, such as a slug, may follow them.
 */
export function strayed(
  { spec }: Pick<Context['run'], 'spec'>,
  { operation, body }: Draft,
  before: JsonObject | undefined,
  value: Json | undefined,
  place: string,
): Finding[] {
  // A PUT replaces the thing: what it leaves out need not stay.
  if (operation.method === 'PUT') return [];
  const settable = spec.operations
    .filter((each) => each === operation || each === originOf(spec, operation)?.creator)
    .flatMap((each) => slotsOf(spec.requests, each.body?.schema).map(({ path }) => String(path[0])));
  const after = thingIn(value);
  // By the letter of OpenAPI, what is left out is its default in an edit as well.
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
    const message = `after ${operation.id} ${place} has another ${name}, which was not sent`;
    return [{ check: 'unchanged', message, expected: `${name}: ${JSON.stringify(was)}` }];
  });
}

function kept(
  editor: Operation,
  name: string,
  sent: Json | undefined,
  value: Json | undefined,
  place: string,
): Finding[] {
  const told = memberOf(thingIn(value), name);
  if (told === undefined || isVolatileName(name) || (sent !== undefined && isSame(told, sent))) return [];
  const message = `after ${editor.id} ${place} has another ${name} than was sent`;
  return [{ check: 'sequence', message, expected: `${name}: ${JSON.stringify(sent)}` }];
}
