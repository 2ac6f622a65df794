import type { Finding } from '../checks/answer.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { type Json, memberOf, sameJson } from '../document/json.js';
import { identify, isItemOperation, originOf, thingIn } from '../document/links.js';
import { isUnsafe, type Operation, successOf } from '../document/model.js';
import { isIfMatchName, isTombstoneName } from '../document/names.js';
import { onceKeyOf } from '../keys.js';
import { dangerOf, isRemover } from '../policy.js';
import { membersToSend, withAnother } from '../variation.js';

const ANY = { phase: 'sequences', expectation: 'any', keepsKey: true, atOnce: true } as const;
/** Number of equal requests that are sent at once. */
const MANY = 3;

/**
 * Sends concurrent requests. Equal requests with one `Idempotency-Key` must create one thing. Of two edits with the
 * same entity tag in `If-Match`, only one may succeed.
 */
export async function runConcurrent(context: Context, operation: Operation): Promise<void> {
  const { run } = context;
  if (!isUnsafe(operation) || context.obstacle(operation) !== undefined) return;
  if (dangerOf(operation, run.spec) !== 'none') return;
  await sendEqual(context, operation);
  await createTwice(context, operation);
  await editTwice(context, operation);
  await race(context, operation);
}

/** Sends two equal creates at once, without a key. Each must create a thing of its own. */
async function createTwice({ run, fixtures }: Context, operation: Operation): Promise<void> {
  const makes = operation.method === 'POST' && operation.answers.some(({ status }) => status === '201');
  if (!makes || fixtures.isUnique(operation) || operation.path.includes('{')) return;
  const draft = await fixtures.base(operation, { phase: 'sequences' });
  const name = 'two equal creates at once';
  const sent = await Promise.all([draft, draft].map((each) => run.send(each, { ...ANY, name, keepsKey: false })));
  const ids = sent.map(({ answer, value }) => (answer?.status === 201 ? idOf(value) : undefined));
  const [first, second] = ids;
  const [, last] = sent;
  if (first === undefined || second === undefined || last === undefined || !sameJson(first, second)) return;
  const message = 'two equal creates at once make one thing';
  run.record.fail({ ...ANY, name }, last, practice(run.options, 'concurrent', 'sequence', message, 'two things'));
}

/** Sends two edits of different members at once, several times. Both must be kept. */
async function editTwice({ run, fixtures, obstacle }: Context, operation: Operation): Promise<void> {
  const origin = originOf(run.spec, operation);
  if (operation.method !== 'PATCH' || !isItemOperation(operation) || origin === undefined) return;
  const getter = run.spec.operations.find(
    (each) => each.method === 'GET' && isItemOperation(each) && originOf(run.spec, each)?.creator === origin.creator,
  );
  if (getter === undefined || obstacle(getter) !== undefined) return;
  const resource = await fixtures.create(origin.creator, { phase: 'sequences', name: `create for ${operation.id}` });
  const look = resource && (await fixtures.on(getter, resource));
  const good = resource && (await fixtures.on(operation, resource));
  if (look === undefined || good === undefined) return;
  const name = 'two edits of different members at once';
  for (let round = 0; round < MANY; round++) {
    const before = thingIn((await run.send(look, { ...ANY, name: 'get what is edited' })).value);
    const edits = membersToSend(run, operation).flatMap((slot) => {
      const member = String(slot.path[0]);
      const present = memberOf(before, member);
      if (typeof present !== 'string' || isTombstoneName(member)) return [];
      const edit = withAnother(run, { ...good, body: {} }, slot, present);
      return edit === undefined ? [] : [{ member, edit }];
    });
    const pair = edits.slice(0, 2);
    if (pair.length < 2) return;
    const sent = await Promise.all(pair.map(({ edit }) => run.send(edit, { ...ANY, name })));
    if (sent.some(({ answer }) => answer === undefined || answer.status >= 300)) return;
    const got = await run.send(look, { ...ANY, name: 'get what is edited' });
    const thing = thingIn(got.value);
    const lost = pair.find(({ member, edit }) => !sameJson(memberOf(thing, member), memberOf(edit.body, member)));
    // A server may change a text, such as trim it; but then it also tells so after a single edit.
    if (lost === undefined || !sameJson(memberOf(thing, lost.member), memberOf(before, lost.member))) continue;
    const message = `of two edits at once that of ${lost.member} is lost`;
    run.record.fail({ ...ANY, name }, got, practice(run.options, 'concurrent', 'sequence', message, 'both edits'));
    return;
  }
}

async function sendEqual({ run, fixtures }: Context, operation: Operation): Promise<void> {
  const parameter = onceKeyOf(operation);
  const key = parameter && run.keys.fresh(parameter);
  if (parameter === undefined || key === undefined || isRemover(operation)) return;
  const base = await fixtures.base(operation, { phase: 'sequences' });
  const draft = { ...base, header: { ...base.header, [parameter.name]: key } };
  const name = 'concurrent equal requests with one Idempotency-Key';
  const sent = await Promise.all(Array.from({ length: MANY }, () => run.send(draft, { ...ANY, name })));
  const answers = sent.filter(({ answer }) => answer !== undefined && answer.status < 300);
  const [first, ...others] = answers;
  if (first === undefined) return;
  for (const { value, exchange } of others.map((exchange) => ({ value: exchange.value, exchange }))) {
    const isSame = sameJson(value, first.value);
    const isOther = !isSame && !sameJson(idOf(value), idOf(first.value));
    if (isSame || (!isOther && idOf(value) !== undefined && haveSameSecrets(run, value, first.value))) continue;
    const message = isOther
      ? 'concurrent requests with one Idempotency-Key create several things'
      : 'concurrent requests with one Idempotency-Key get different answers';
    run.record.fail({ ...ANY, name }, exchange, once(message));
  }
}

const idOf = (value: Json | undefined) => identify(thingIn(value), 'id');

/** Whether two answers contain the same secrets. */
function haveSameSecrets({ secrets }: Context['run'], a: Json | undefined, b: Json | undefined): boolean {
  return sameJson(secrets.issuedIn(a), secrets.issuedIn(b));
}

function once(message: string): Finding {
  return { check: 'once', message, expected: 'one thing, and the same answer or a rejection for the others' };
}

/** Sends two concurrent edits with the current entity tag of a thing. */
async function race({ run, fixtures, obstacle }: Context, operation: Operation): Promise<void> {
  const header = operation.parameters.find(({ in: place, name }) => place === 'header' && isIfMatchName(name));
  const origin = originOf(run.spec, operation);
  const getter = run.spec.operations.find(
    (each) =>
      each.method === 'GET' &&
      isItemOperation(each) &&
      successOf(each)?.headers.some(({ name }) => /^etag$/i.test(name)) === true &&
      originOf(run.spec, each)?.creator === origin?.creator,
  );
  if (!header || !origin || !getter || obstacle(getter) !== undefined || isRemover(operation)) return;
  const resource = await fixtures.create(origin.creator, { phase: 'sequences', name: `create for ${operation.id}` });
  const look = resource && (await fixtures.on(getter, resource));
  const good = resource && (await fixtures.on(operation, resource));
  if (look === undefined || good === undefined) return;
  const got = await run.send(look, { ...ANY, name: 'get its entity tag' });
  const tag = got.answer?.headers.etag;
  if (tag === undefined || !/^".+"$/.test(tag)) return;
  const slot = membersToSend(run, operation).find(
    ({ path: [member] }) =>
      memberOf(thingIn(got.value), String(member)) !== undefined && !isTombstoneName(String(member)),
  );
  const present = memberOf(thingIn(got.value), String(slot?.path[0]));
  const one = slot && withAnother(run, good, slot, present);
  const other = slot && one && withAnother(run, good, slot, memberOf(one.body, String(slot.path[0])));
  const name = 'two concurrent changes with one entity tag';
  const edits = [one ?? good, other ?? one ?? good].map((draft) => ({
    ...draft,
    header: { ...draft.header, [header.name]: tag },
  }));
  const sent = await Promise.all(edits.map((draft) => run.send(draft, { ...ANY, name })));
  const winners = sent.filter(({ answer }) => answer !== undefined && answer.status < 300);
  const [last] = winners.slice(-1);
  if (winners.length < 2 || last === undefined) return;
  // An edit that changes nothing does not change the entity tag.
  if (sameJson(edits[0]?.body, edits[1]?.body)) return;
  run.record.fail({ ...ANY, name }, last, {
    check: 'precondition',
    message: 'two concurrent changes with one entity tag both succeed',
    expected: '412 for one of them',
  });
}
