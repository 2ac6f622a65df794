import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { type JsonObject, memberOf, sameJson } from '../document/json.js';
import { isItemOperation, originOf, thingIn } from '../document/links.js';
import { isUnsafe, type Operation, type Parameter, successOf } from '../document/model.js';
import { isIfMatchName, isTombstoneName, isVolatileName } from '../document/names.js';
import type { Exchange } from '../exchange.js';
import type { Resource } from '../fixtures.js';
import { isRemover } from '../policy.js';
import { membersToSend, withAnother } from '../variation.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;

/** A thing with an entity tag, and the operation that returns the tag. */
interface Tagged {
  getter: Operation;
  resource: Resource;
}

/** Changes a thing with several entity tags in `If-Match`: an unknown one, the current one, an earlier one, and `*`. */
export async function runPreconditions(context: Context, operation: Operation): Promise<void> {
  const { run, fixtures } = context;
  const header = operation.parameters.find(({ in: place, name }) => place === 'header' && isIfMatchName(name));
  const origin = originOf(run.spec, operation);
  const getter = run.spec.operations.find(
    (each) => isTagged(each) && originOf(run.spec, each)?.creator === origin?.creator,
  );
  if (!header || !origin || !getter || !isUnsafe(operation)) return;
  if ([operation, getter, origin.creator].some((each) => context.obstacle(each) !== undefined)) return;
  const resource = await fixtures.create(origin.creator, { phase: 'sequences', name: `create for ${operation.id}` });
  if (resource === undefined) return;
  const thing = { getter, resource };

  const first = await look(context, thing);
  // A weak tag never matches (RFC 9110, section 13.1.1), so it is not checked.
  if (first?.tag === undefined || !/^".+"$/.test(first.tag)) return;
  await expectRejection(context, thing, operation, header, otherThan(first.tag), 'an unknown entity tag', first);
  await expectSuccess(context, thing, operation, header, first.tag, 'the current entity tag', first);
  if (isRemover(operation) || run.outOfTime()) return;
  const second = await look(context, thing);
  if (second?.tag === undefined) return;
  if (second.tag !== first.tag) {
    await expectRejection(context, thing, operation, header, first.tag, 'an earlier entity tag', second);
  } else if (!isSameThing(first, second)) {
    run.record.fail({ ...ANY, name: 'get after a change' }, second.exchange, {
      check: 'precondition',
      message: 'a changed thing keeps its entity tag',
      expected: `another ETag than ${first.tag}`,
    });
  }
  await expectSuccess(context, thing, operation, header, '*', '*', second);
}

function isTagged(operation: Operation): boolean {
  const tells = successOf(operation)?.headers.some(({ name }) => /^etag$/i.test(name)) === true;
  return operation.method === 'GET' && isItemOperation(operation) && tells;
}

interface State {
  exchange: Exchange;
  thing: JsonObject | undefined;
  tag: string | undefined;
}

async function look({ run, fixtures }: Context, { getter, resource }: Tagged): Promise<State | undefined> {
  const draft = await fixtures.on(getter, resource);
  const exchange = draft && (await run.send(draft, { ...ANY, name: 'get its entity tag' }));
  if (exchange?.answer === undefined || exchange.answer.status >= 300) return undefined;
  return { exchange, thing: thingIn(exchange.value), tag: exchange.answer.headers.etag };
}

/** A tag of the same form, with another letter or digit. */
function otherThan(tag: string): string {
  return tag.replace(/[A-Za-z0-9](?=[^A-Za-z0-9]*$)/, (sign) => (sign === '0' ? '1' : '0'));
}

async function expectRejection(
  context: Context,
  thing: Tagged,
  operation: Operation,
  header: Parameter,
  tag: string,
  what: string,
  before: State,
): Promise<void> {
  const sent = await change(context, thing, operation, header, tag, what, before, (status) =>
    status === 412 ? [] : [precondition(`${what} gets ${String(status)}`, '412')],
  );
  const after = await look(context, thing);
  if (sent?.answer?.status !== 412 || after === undefined || isSameThing(before, after)) return;
  const finding = precondition('a change that gets 412 takes effect', 'the thing unchanged');
  context.run.record.fail({ ...ANY, name: `get after ${what}` }, after.exchange, finding);
}

async function expectSuccess(
  context: Context,
  thing: Tagged,
  operation: Operation,
  header: Parameter,
  tag: string,
  what: string,
  before: State,
): Promise<void> {
  await change(context, thing, operation, header, tag, what, before, (status) =>
    status === 412 ? [precondition(`${what} gets 412`, 'no 412')] : [],
  );
}

/**
 * Sends a valid request with this tag, which changes a member if possible. Sends nothing if the schema forbids the tag.
 */
async function change(
  { run, fixtures }: Context,
  { resource }: Tagged,
  operation: Operation,
  { name, pointer }: Parameter,
  tag: string,
  what: string,
  before: State,
  check: (status: number) => Finding[],
): Promise<Exchange | undefined> {
  if (pointer !== undefined && run.judge.objections('request', pointer, tag).length > 0) return undefined;
  const good = await fixtures.on(operation, resource);
  if (good === undefined) return undefined;
  const base =
    membersToSend(run, operation)
      .filter(
        ({ path: [member] }) =>
          memberOf(before.thing, String(member)) !== undefined && !isTombstoneName(String(member)),
      )
      .map((slot) => withAnother(run, good, slot, memberOf(before.thing, String(slot.path[0]))))
      .find((each) => each !== undefined) ?? good;
  const draft = { ...base, header: { ...base.header, [name]: tag } };
  return await run.send(draft, {
    ...ANY,
    name: `a change with ${what}`,
    check: ({ status }) => (status >= 500 ? [] : check(status)),
  });
}

function isSameThing(a: State, b: State): boolean {
  const lasting = ({ thing }: State) => Object.entries(thing ?? {}).filter(([name]) => !isVolatileName(name));
  return sameJson(Object.fromEntries(lasting(a)), Object.fromEntries(lasting(b)));
}

function precondition(message: string, expected: string): Finding {
  return { check: 'precondition', message, expected };
}
