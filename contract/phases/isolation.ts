import { slotsOf, withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { type Json, type JsonObject, memberOf, sameJson } from '../document/json.js';
import { identify, isItemOperation, originOf, pathNames, thingIn } from '../document/links.js';
import { isSecured, isUnsafe, type Operation } from '../document/model.js';
import { isOwnerName, isVolatileName } from '../document/names.js';
import { flatten, typesOf } from '../document/schema.js';
import { CouldNotRun } from '../errors.js';
import type { Exchange } from '../exchange.js';
import type { Resource } from '../fixtures.js';
import { readGiven } from '../given.js';
import type { Credential, Draft } from '../http/draft.js';
import { OTHER } from '../labels.js';
import type { Identity } from '../options.js';
import { dangerOf } from '../policy.js';
import { TAKEN, takenByCursor } from './cursors.js';
import { listShapeOf, walk } from './walk.js';

const ANY = { phase: 'security', expectation: 'any', outside: true } as const;

interface OtherIdentity {
  credential: Credential;
  /** Whether the option `shared` names the operation. */
  isShared(operation: Operation): boolean;
}

/** Checks that no other identity can read, list, count, change or end what the run's own identity has created. */
export async function runIsolation(context: Context): Promise<void> {
  const { run } = context;
  for (const identity of [run.options.other ?? []].flat()) {
    const credential = await credentialOf(context, identity);
    const isShared = ({ id }: Operation) => run.options.shared?.includes(id) === true;
    const other = { credential, isShared };
    for (const creator of run.spec.operations) {
      if (run.outOfTime()) return;
      if (isMaker(context, creator)) await checkThings(context, creator, other);
    }
    for (const list of run.operations) await checkList(context, list, other);
    await checkSweeps(context, other);
  }
}

async function credentialOf({ run, credentials }: Context, identity: Identity): Promise<Credential> {
  const { login, credential } = readGiven(identity, run.spec, run.secrets, OTHER);
  const found = credential ?? (login && (await credentials.logIn(login))?.credential);
  if (found === undefined || (await credentials.stateOf(found)) === 'rejected')
    throw new CouldNotRun('the server rejects the credential of the other identity');
  if (found.token !== '') run.secrets.add(found.token, '$OTHER_TOKEN');
  return found;
}

function isMaker({ run: { spec }, obstacle }: Context, creator: Operation): boolean {
  return (
    isSecured(creator) &&
    obstacle(creator) === undefined &&
    spec.operations.some((operation) => originOf(spec, operation)?.creator === creator)
  );
}

/** Creates a thing, and calls every operation on it as the other identity. */
async function checkThings(context: Context, creator: Operation, other: OtherIdentity): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  const { spec } = run;
  const onIt = spec.operations.filter((operation) => originOf(spec, operation)?.creator === creator);
  const concerned = onIt.filter((operation) => run.operations.includes(operation) && !other.isShared(operation));
  if (concerned.length === 0) return;
  const resource = await fixtures.create(creator, { phase: 'security', name: 'create a thing of the first identity' });
  if (resource === undefined) return;
  const getter = onIt.find((operation) => operation.method === 'GET' && isItemOperation(operation));
  const look = async () => await see(context, getter, resource);
  const before = await look();
  // Reads come before changes, and the end of the thing comes last.
  const order = ({ method }: Operation) => ['GET', 'PATCH', 'PUT', 'POST', 'DELETE'].indexOf(method);
  for (const operation of concerned.sort((a, b) => order(a) - order(b))) {
    if (obstacle(operation) !== undefined || !isSecured(operation)) continue;
    const draft = await fixtures.on(operation, resource);
    if (draft === undefined) continue;
    const name = `${operation.id} of a thing of another identity`;
    const asked = await run.send(credentials.attach(draft, other.credential), {
      ...ANY,
      name,
      check: ({ status }, value) => (isUnsafe(operation) || status >= 300 || !tells(value, resource) ? [] : [seen()]),
    });
    await compareUnknown(context, draft, other, asked);
    if (!isUnsafe(operation)) continue;
    const after = await look();
    const accepted = asked.answer !== undefined && asked.answer.status < 300;
    // A DELETE may answer 2xx for a thing that does not exist.
    const isDone = before === undefined || after === undefined ? accepted : !isSameThing(before, after);
    if (isDone || (accepted && operation.method !== 'DELETE'))
      run.record.fail(
        { ...ANY, name },
        asked,
        isolation('another identity changes a thing that the run has created', '403 or 404'),
      );
  }
  await checkBulk(context, creator, resource, getter, other);
  await checkOwn(context, creator, getter, other);
}

const seen = () => isolation('another identity reads a thing that the run has created', '403 or 404');

/** Checks that the other identity can get what it has created itself. */
async function checkOwn(
  { run, fixtures, credentials, obstacle }: Context,
  creator: Operation,
  getter: Operation | undefined,
  { credential }: OtherIdentity,
): Promise<void> {
  if (getter === undefined || obstacle(getter) !== undefined) return;
  if (fixtures.isUnique(creator)) fixtures.varyTexts(creator);
  const base = credentials.attach(await fixtures.base(creator, { phase: 'security' }), credential);
  const made = await run.send(base, { ...ANY, name: 'create as another identity' });
  if (made.answer === undefined || made.answer.status >= 300) return;
  const draft = await fixtures.on(getter, { creator, exchange: made, token: undefined });
  if (draft === undefined) return;
  await run.send(credentials.attach(draft, credential), {
    ...ANY,
    name: 'get what it has just created',
    check: ({ status }) =>
      status < 300
        ? []
        : [isolation(`another identity gets ${String(status)} for the thing that it has created`, 'the thing')],
  });
}

/** Checks that another identity's thing looks like one that does not exist, so that nobody can find out valid ids. */
async function compareUnknown(context: Context, draft: Draft, other: OtherIdentity, asked: Exchange): Promise<void> {
  const { run, credentials } = context;
  const { operation } = draft;
  if (operation.method !== 'GET' || asked.answer === undefined || asked.answer.status < 400) return;
  const [name] = pathNames(operation).slice(-1);
  const known = name === undefined ? undefined : draft.path[name];
  const absent = unknownLike(known);
  if (name === undefined || absent === undefined) return;
  const unknown = { ...draft, path: { ...draft.path, [name]: absent } };
  if (run.judgeRequest(unknown).kind === 'invalid') return;
  const { status } = asked.answer;
  await run.send(credentials.attach(unknown, other.credential), {
    ...ANY,
    name: 'get what does not exist, as another identity',
    check: (answer) =>
      answer.status === status
        ? []
        : [
            practice(
              run.options,
              'unknown-alike',
              'isolation',
              `another identity's thing gets ${String(status)}, but an unknown id gets ${String(answer.status)}`,
              'the same status for both',
            ),
          ],
  });
}

function unknownLike(id: Json | undefined): Json | undefined {
  if (typeof id === 'number') return id + 2 ** 40;
  return typeof id === 'string'
    ? id.replace(/[0-9a-f](?=[^0-9a-f]*$)/i, (sign) => (sign === '0' ? '1' : '0'))
    : undefined;
}

/** Checks that a list neither contains nor counts another identity's things, whatever the query asks for. */
async function checkList(context: Context, list: Operation, other: OtherIdentity): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  const shape = listShapeOf(run.spec.answers, list);
  if (shape === undefined || other.isShared(list) || !isSecured(list) || obstacle(list) !== undefined) return;
  if (pathNames(list).length > 0) return;
  const mine = fixtures.made.map(({ exchange }) => JSON.stringify(identify(thingIn(exchange.value), 'id')));
  const own = await ownIds(context);
  const queries: JsonObject[] = [{}];
  const visible: string[] = [];
  for (const { name, in: place } of list.parameters)
    if (place === 'query' && isOwnerName(name)) queries.push(...own.map((id) => ({ [name]: id })));
  for (const query of queries) {
    const name =
      Object.keys(query).length === 0 ? 'list as another identity' : 'list for the first identity as another';
    const as = {
      ...context,
      fixtures: {
        ...fixtures,
        base: async (...asked: Parameters<typeof fixtures.base>) =>
          credentials.attach(await fixtures.base(...asked), other.credential),
      },
    };
    const walked = await walk(as, list, { phase: 'security', query, name });
    if (walked === undefined) continue;
    const rows = walked.pages.flatMap((page) => page.rows);
    if (Object.keys(query).length === 0) visible.push(...rows.map((row) => JSON.stringify(identify(row, 'id') ?? row)));
    const fail = (message: string, expected: string) => {
      run.record.fail({ ...ANY, name }, walked.last, isolation(message, expected));
    };
    if (rows.some((row) => mine.includes(JSON.stringify(identify(row, 'id')))))
      fail('another identity lists a thing that the run has created', 'only its own rows');
    const count = shape.count === undefined ? undefined : memberOf(walked.last.value, shape.count);
    if (walked.complete && typeof count === 'number' && count !== rows.length)
      fail(`${shape.count ?? ''} counts what another identity cannot see`, String(rows.length));
  }
  const taken = await takenByCursor(context, list, shape, other.credential, visible);
  if (taken === undefined) return;
  const finding = isolation("a cursor shows its first caller's rows to another identity", 'a rejection, or no row');
  run.record.fail({ ...ANY, name: TAKEN }, taken, finding);
}

/** The id of the run's own user, for queries such as `owner`; empty if it is unknown. */
async function ownIds({ run, credentials }: Context): Promise<Json[]> {
  const draft = credentials.main && credentials.probeWith(credentials.main);
  if (draft === undefined || !/\/(me|self|whoami|user|profile)\/?$/.test(draft.operation.path)) return [];
  const { value } = await run.send(draft, { ...ANY, name: 'get the own account' });
  const user = memberOf(value, 'user') ?? memberOf(value, 'account') ?? value;
  const id = identify(user, 'id');
  return id === undefined ? [] : [id];
}

/** Checks that a bulk operation with an id of another identity's thing changes nothing. */
async function checkBulk(
  context: Context,
  creator: Operation,
  resource: Resource,
  getter: Operation | undefined,
  other: OtherIdentity,
): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  const id = identify(thingIn(resource.exchange.value), 'id');
  if (id === undefined || getter === undefined) return;
  for (const operation of run.operations) {
    if (!isUnsafe(operation) || operation === creator || !operation.path.startsWith(creator.path)) continue;
    const slot = slotsOf(run.spec.requests, operation.body?.schema).find(
      ({ path, schema }) =>
        /ids$/i.test(String(path[0])) && typesOf(flatten(run.spec.requests, schema)).includes('array'),
    );
    if (slot === undefined || obstacle(operation) !== undefined) continue;
    const base = await fixtures.base(operation, { phase: 'security' });
    const body = onlyOne(run, { ...base, body: withValue(base.body ?? {}, slot.path, [id]) }, String(slot.path[0]));
    const before = await see(context, getter, resource);
    const name = `${operation.id} with an id of another identity`;
    const asked = await run.send(credentials.attach(body, other.credential), { ...ANY, name });
    const after = await see(context, getter, resource);
    if (before !== undefined && after !== undefined && !isSameThing(before, after))
      run.record.fail(
        { ...ANY, name },
        asked,
        isolation('another identity changes a thing that the run has created', 'nothing'),
      );
  }
}

/** The request without members that conflict with `name`, such as a filter beside ids, and without a dry run. */
function onlyOne(run: Context['run'], draft: Draft, name: string): Draft {
  const { body } = draft;
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {};
  const plain = Object.fromEntries(Object.entries(members).filter(([member]) => !/dry_?run/i.test(member)));
  const wanted = { ...draft, body: plain };
  if (run.judgeRequest(wanted).kind === 'valid') return wanted;
  const kept = Object.entries(plain).filter(([member, value]) => member === name || typeof value === 'boolean');
  return { ...draft, body: Object.fromEntries(kept) };
}

/** Checks that an operation which ends everything of its caller ends nothing of another identity. */
async function checkSweeps(context: Context, other: OtherIdentity): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  const sweeps = run.operations.filter((operation) => dangerOf(operation, run.spec) === 'sweeps');
  for (const operation of sweeps) {
    if (operation.body?.required === true || obstacle(operation) !== undefined) continue;
    const issuer = run.spec.operations.find(({ id }) => (run.issues.get(id)?.length ?? 0) > 0);
    const resource =
      issuer &&
      (await fixtures.create(issuer, { phase: 'security', name: 'create a credential of the first identity' }));
    if (resource?.token === undefined) return;
    const name = `${operation.id} as another identity`;
    const base = await fixtures.base(operation, { phase: 'security' });
    const asked = await run.send(credentials.attach(base, other.credential), { ...ANY, name });
    if ((await credentials.stateOf({ token: resource.token, perScheme: {} })) !== 'rejected') continue;
    run.record.fail(
      { ...ANY, name },
      asked,
      isolation('another identity ends a credential that the run has created', 'nothing'),
    );
  }
}

async function see(context: Context, getter: Operation | undefined, resource: Resource): Promise<Json | undefined> {
  const { run, fixtures, obstacle } = context;
  const draft = getter && obstacle(getter) === undefined ? await fixtures.on(getter, resource) : undefined;
  const exchange = draft && (await run.send(draft, { ...ANY, name: 'get the thing of the first identity' }));
  if (exchange?.answer === undefined || exchange.answer.status >= 500) return undefined;
  return exchange.answer.status < 300 ? exchange.value : 'gone';
}

function tells(value: Json | undefined, resource: Resource): boolean {
  const id = identify(thingIn(resource.exchange.value), 'id');
  return id === undefined || sameJson(identify(thingIn(value), 'id'), id);
}

function isSameThing(a: Json, b: Json): boolean {
  const lasting = (value: Json) =>
    Object.entries(thingIn(value) ?? { value }).filter(([name]) => !isVolatileName(name));
  return sameJson(Object.fromEntries(lasting(a)), Object.fromEntries(lasting(b)));
}

function isolation(message: string, expected: string): Finding {
  return { check: 'isolation', message, expected };
}
