import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import type { Exchange } from '../exchange.js';
import { memberText, type Resource, sourceOf } from '../fixtures.js';
import { emptyDraft } from '../http/draft.js';
import { dangerOf, isRemover } from '../policy.js';
import { isObject, type Json, membersOf, textOf } from '../spec/json.js';
import { evaluate, isItemOperation, originOf, pathNames, trimmed } from '../spec/links.js';
import { isUnsafe, type Operation, successOf } from '../spec/model.js';
import { isTombstoneName, isVolatileName } from '../spec/names.js';
import { walk } from './walk.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;

/**
 * Takes one thing through its life: create, get, list, follow the links, end it, get and list it again, end it again,
 * and use the credential that its creation gave. Once for each operation that ends things of its kind.
 */
export async function runLife(context: Context, creator: Operation): Promise<void> {
  const { run, fixtures } = context;
  const onIt = run.spec.operations.filter((operation) => originOf(run.spec, operation)?.creator === creator);
  const getter = onIt.find((operation) => operation.method === 'GET' && isItemOperation(operation));
  const removers = onIt.filter(isRemover);
  const concerned = [creator, ...onIt].some((operation) => run.operations.includes(operation));
  if (!concerned || context.obstacle(creator) !== undefined) return;

  for (const remover of removers.length > 0 ? removers : [undefined]) {
    const resource = await fixtures.create(creator, { phase: 'sequences', name: 'create' });
    if (resource === undefined) return;
    if (getter) await get(context, getter, resource);
    await expectListed(context, resource, true);
    await followLinks(context, resource.exchange);
    if (remover) await end(context, remover, getter, resource);
  }
}

async function get(context: Context, getter: Operation, resource: Resource): Promise<void> {
  const created = resource.exchange.value;
  const exchange = await call(context, getter, resource, 'get what was just created', (answer, value) => {
    if (answer >= 300) return [fault('sequence', `what was just created is ${String(answer)}`, 'the thing (2xx)')];
    const differing = differences(created, value);
    if (differing.length === 0) return [];
    const expected = `the ${differing.join(', ')} that creating it answered`;
    return [fault('sequence', `${differing.join(', ')} differ from what creating it answered`, expected)];
  });
  if (exchange) await followLinks(context, exchange);
}

/** The members that both tell, and tell differently; those that change by themselves do not count. */
function differences(created: Json | undefined, fetched: Json | undefined): string[] {
  const ids = membersOf(fetched).map(([name]) => name);
  const same = [created, ...membersOf(created).map(([, member]) => member)].find(
    (candidate) => isObject(candidate) && ids.filter((name) => name in candidate).length >= ids.length / 2,
  );
  return ids.filter((name) => {
    const before = memberText(same, name);
    return before !== undefined && !isVolatileName(name) && before !== memberText(fetched, name);
  });
}

/** Follows every link whose target changes nothing. */
async function followLinks({ run, fixtures, obstacle }: Context, exchange: Exchange): Promise<void> {
  const { operation } = exchange.draft;
  for (const link of successOf(operation)?.links ?? []) {
    const target = run.spec.operations.find(({ id }) => id === link.operationId);
    if (target === undefined || obstacle(target) !== undefined || isUnsafe(target)) continue;
    const draft = await fixtures.base(target, { phase: 'sequences' });
    const source = sourceOf(exchange);
    let complete = true;
    for (const [key, expression] of Object.entries(link.parameters)) {
      const [, name = key] = /^(?:path|query|header|cookie)\.(.+)$/.exec(key) ?? [];
      const parameter = target.parameters.find((each) => each.name === name);
      const value = evaluate(expression, source);
      if (parameter === undefined || value === undefined || value === null) complete = false;
      else draft[parameter.in] = { ...draft[parameter.in], [name]: value };
    }
    if (!complete) continue;
    const name = `the link ${link.name} of ${operation.id}`;
    await run.send(draft, {
      phase: 'sequences',
      name,
      check: ({ status }) =>
        status < 400 ? [] : [fault('sequence', `${name} leads to ${String(status)}`, 'what the link describes (2xx)')],
    });
  }
}

async function end(
  context: Context,
  remover: Operation,
  getter: Operation | undefined,
  resource: Resource,
): Promise<void> {
  const ended = await call(context, remover, resource, 'end what was just created', (status) =>
    status < 400 ? [] : [fault('sequence', `what was just created cannot be ended: ${String(status)}`, 'a success')],
  );
  if (ended?.answer === undefined || ended.answer.status >= 400) return;
  const how = `after ${remover.id}`;
  if (getter) {
    await call(context, getter, resource, `get ${how}`, (status, value) => {
      if (status >= 300 || isTombstone(value)) return [];
      return [fault('revocation', `${how} it is still there`, '404, 410 or a member such as revokedAt that says so')];
    });
  }
  await expectListed(context, resource, false, how);
  if (resource.token !== undefined) await expectDead(context, resource.token, how);
  await call(context, remover, resource, `end it again`, () => []);
  if (resource.token !== undefined) await expectDead(context, resource.token, `after ${remover.id} twice`);
}

/** Whether a thing says of itself that it is no more. */
export function isTombstone(value: Json | undefined): boolean {
  return membersOf(value).some(([name, member]) => {
    if (isTombstoneName(name)) return member !== null && member !== false;
    if (/^(status|state)$/i.test(name))
      return /revoked|deleted|cancel|archived|disabled|removed|inactive/i.test(textOf(member));
    return isObject(member) && isTombstone(member);
  });
}

async function expectDead({ run, credentials }: Context, token: string, how: string): Promise<void> {
  const credential = { token, perScheme: {} };
  for (const operation of run.spec.operations) {
    const easy = operation.method === 'GET' && operation.parameters.every(({ required }) => !required);
    if (!easy || credentials.alternatives(operation).length === 0) continue;
    const draft = credentials.attach(emptyDraft(operation), credential);
    await run.send(draft, {
      ...ANY,
      name: `use its credential ${how}`,
      check: ({ status }) =>
        status === 401 ? [] : [fault('revocation', `its credential still gets ${String(status)} ${how}`, '401')],
    });
  }
}

async function expectListed(
  context: Context,
  resource: Resource,
  wanted: boolean,
  how = 'after its creation',
): Promise<void> {
  const { run } = context;
  const collection = trimmed(resource.creator.path);
  const list = run.spec.operations.find(({ method, path }) => method === 'GET' && trimmed(path) === collection);
  if (list === undefined || pathNames(list).length > 0 || context.obstacle(list) !== undefined) return;
  const walked = await walk(context, list, { phase: 'sequences', stopAt: resource.exchange.value });
  if (walked === undefined) return;
  const { found, last } = walked;
  const isThere = found !== undefined && (wanted || !isTombstone(found));
  if (isThere === wanted) return;
  const finding = wanted
    ? fault('sequence', 'what was just created is not listed', 'a row for it')
    : fault('revocation', `${how} it is still listed`, 'no row for it, or one that says that it is no more');
  run.record.fail({ ...ANY, name: wanted ? 'list after creating' : `list ${how}` }, last, finding);
}

async function call(
  { run, fixtures, credentials, obstacle }: Context,
  operation: Operation,
  resource: Resource,
  name: string,
  check: (status: number, value: Json | undefined) => Finding[],
): Promise<Exchange | undefined> {
  const path = fixtures.address(operation, resource);
  if (path === undefined || obstacle(operation) !== undefined) return undefined;
  const draft = credentials.attach({
    ...(await fixtures.base({ ...operation, parameters: operation.parameters.filter((p) => p.in !== 'path') })),
    operation,
    path,
  });
  return await run.send(draft, { ...ANY, name, check: ({ status }, value) => check(status, value) });
}

/** A session of its own: its links, and, where the spec can end sessions, that its token opens nothing afterwards. */
export async function runSessions(context: Context): Promise<void> {
  const { run, credentials, fixtures } = context;
  const session = await credentials.logIn();
  if (session === undefined) return;
  for (const link of successOf(session.exchange.draft.operation)?.links ?? []) {
    const target = run.spec.operations.find(({ id }) => id === link.operationId);
    const body = link.requestBody === undefined ? undefined : evaluate(link.requestBody, sourceOf(session.exchange));
    if (target === undefined || body === undefined) continue;
    const name = `the link ${link.name} of ${session.exchange.draft.operation.id}`;
    await run.send(
      { ...(await fixtures.base(target)), body },
      {
        ...ANY,
        name,
        check: ({ status }) =>
          status < 300 ? [] : [fault('sequence', `${name} leads to ${String(status)}`, 'a success')],
      },
    );
  }
  for (const operation of run.operations.filter((each) => dangerOf(each) === 'ends-caller')) {
    const spare = await credentials.logIn();
    if (spare === undefined) return;
    const draft = credentials.attach(await fixtures.base(operation), spare.credential);
    const { answer } = await run.send(draft, { phase: 'sequences', name: 'end a session' });
    if (answer && answer.status < 300) await expectDead(context, spare.credential.token, `after ${operation.id}`);
  }
}

function fault(check: Finding['check'], message: string, expected: string): Finding {
  return { check, message, expected };
}
