import type { Finding } from '../checks/answer.js';
import { canContain } from '../checks/comparable.js';
import type { Context } from '../context.js';
import { isObject, type Json, type JsonObject, memberOf, membersOf, textOf } from '../document/json.js';
import { evaluate, isItemOperation, originOf, thingIn } from '../document/links.js';
import { isUnsafe, type Operation, successOf } from '../document/model.js';
import { isStateName, isTombstoneName, isVolatileName } from '../document/names.js';
import type { Exchange } from '../exchange.js';
import { memberText, type Resource, sourceOf } from '../fixtures.js';
import { isDeleter, isRemover, isRotator, type Presenter } from '../policy.js';
import { expectAgreement } from './agree.js';
import { runEdits } from './edits.js';
import { runReplace } from './replace.js';
import { runRotation } from './rotation.js';
import { expectInvalid, expectValid, present } from './validity.js';
import { listOf, walk } from './walk.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;

/** The operations on the things that `creator` creates. */
interface Lifecycle {
  creator: Operation;
  getter: Operation | undefined;
  editors: Operation[];
  rotators: Operation[];
  deleters: Deleter[];
}

/** An operation that deletes or revokes a thing: by its path, or, with a slot, by its credential in the body. */
type Deleter = Presenter | { operation: Operation; slot?: never };

const AGAIN = 'delete or revoke it again';

/**
 * Tests the lifecycle of a thing: create, get, list, follow links, edit, rotate, delete or revoke, get and list again,
 * use its earlier credentials, and delete or revoke again. Creates one thing for each operation that deletes or
 * revokes.
 */
export async function runLifecycle(context: Context, creator: Operation): Promise<void> {
  const { run, fixtures } = context;
  const lifecycle = lifecycleOf(context, creator);
  const { getter, editors, rotators, deleters } = lifecycle;
  const presenters = [...deleters, ...context.presenters.inquiries].map(({ operation }) => operation);
  const onIt = [...editors, ...rotators, ...presenters, ...(getter ? [getter] : [])];
  const concerned = [creator, ...onIt].some((operation) => run.operations.includes(operation));
  if (!concerned || context.obstacle(creator) !== undefined) return;

  let isFirst = true;
  const issues = () => (run.issues.get(creator.id)?.length ?? 0) > 0;
  for (const deleter of deleters.length > 0 ? deleters : [undefined]) {
    if (!isFirst && deleter?.slot !== undefined && !issues()) continue;
    const info = { phase: 'sequences', name: 'create' } as const;
    // A full thing shows whether an edit changes other members.
    const full = isFirst && editors.length > 0 ? await fixtures.create(creator, info, { all: 'members' }) : undefined;
    let resource = full ?? (await fixtures.create(creator, info));
    // 202 says that the thing will be there later (RFC 9110, section 15.3.3).
    if (resource === undefined || resource.exchange.answer?.status === 202) return;
    let tokens = resource.token === undefined ? [] : [resource.token];
    if (getter) await get(context, getter, resource);
    await expectListed(context, resource, true);
    if (isFirst) await expectAgreement(context, getter, resource, 'after its creation');
    await followLinks(context, resource.exchange);
    for (const token of tokens) await expectValid(context, token, 'after its creation');
    for (const editor of isFirst ? editors : []) await runEdits(context, editor, getter, resource);
    for (const editor of isFirst ? editors : []) if (getter) await runReplace(context, editor, getter, resource);
    if (isFirst && editors.length > 0) await expectAgreement(context, getter, resource, 'after its edits');
    for (const rotator of isFirst ? rotators : []) {
      // Edits may have emptied members. A full thing shows whether a rotation loses any.
      if (editors.length > 0) resource = (await fixtures.create(creator, info, { all: 'members' })) ?? resource;
      tokens = await runRotation(context, rotator, resource);
      resource.token = tokens[0];
    }
    if (deleter && !run.outOfTime()) await end(context, lifecycle, deleter, resource, tokens);
    isFirst = false;
  }
}

function lifecycleOf({ run: { spec }, presenters }: Context, creator: Operation): Lifecycle {
  const onIt = spec.operations.filter((operation) => originOf(spec, operation)?.creator === creator);
  const others = onIt.filter((operation) => !isRemover(operation));
  return {
    creator,
    getter: onIt.find((operation) => operation.method === 'GET' && isItemOperation(operation)),
    editors: others.filter((operation) => /^(PATCH|PUT)$/.test(operation.method) && isItemOperation(operation)),
    rotators: others.filter(isRotator),
    deleters: [...onIt.filter(isDeleter).map((operation) => ({ operation })), ...presenters.revokers],
  };
}

async function get(context: Context, getter: Operation, resource: Resource): Promise<void> {
  const created = resource.exchange.value;
  const exchange = await call(context, getter, resource, 'get what was just created', (answer, value) => {
    if (answer >= 300) return [fault('sequence', `what was just created gets ${String(answer)}`, 'the thing (2xx)')];
    const differing = differences(created, value).filter((name) => {
      const told = memberOf(thingIn(created), name);
      return told === undefined || canContain(context.run.judge, getter, answer, value, name, told);
    });
    if (differing.length === 0) return [];
    const expected = `the ${differing.join(', ')} of the answer that created it`;
    return [fault('sequence', `${differing.join(', ')} differ from the answer that created it`, expected)];
  });
  if (exchange) await followLinks(context, exchange);
}

/** The members that both contain with different values, except those that change by themselves. */
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

/** Follows the links of an answer whose targets change nothing. */
async function followLinks({ run, fixtures, presenters, obstacle }: Context, exchange: Exchange): Promise<void> {
  const { operation } = exchange.draft;
  const asking = presenters.inquiries.map((inquiry) => inquiry.operation);
  for (const link of successOf(operation)?.links ?? []) {
    const target = run.spec.operations.find(({ id }) => id === link.operationId);
    if (target === undefined || obstacle(target) !== undefined) continue;
    if (isUnsafe(target) && !asking.includes(target)) continue;
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
    if (link.requestBody !== undefined) draft.body = evaluate(link.requestBody, source);
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
  { getter, editors, rotators }: Lifecycle,
  deleter: Deleter,
  resource: Resource,
  tokens: string[],
): Promise<void> {
  // A mark that the thing had before, such as `disabled`, does not show its end.
  const last = getter && (await call(context, getter, resource, 'get what is deleted or revoked', () => []));
  const before = last?.answer !== undefined && last.answer.status < 300 ? last.value : resource.exchange.value;
  if (!(await deleteBy(context, deleter, resource, 'delete or revoke what was just created'))) return;
  const how = `after ${deleter.operation.id}`;
  if (getter) {
    await call(context, getter, resource, `get ${how}`, (status, value) => {
      if (status >= 300 || isEnded(value, before)) return [];
      return [fault('revocation', `${how} the thing is still there`, '404, 410 or a member such as revokedAt')];
    });
  }
  await expectListed(context, resource, false, how, before);
  for (const token of tokens) await expectInvalid(context, token, how);
  for (const operation of [...editors, ...rotators]) await expectNoNewSecret(context, operation, resource, how);
  await deleteBy(context, deleter, resource, AGAIN);
  for (const token of tokens) await expectInvalid(context, token, `${how} twice`);
}

/** Deletes or revokes a thing by its path, or by its credential. Resolves with whether that succeeded. */
async function deleteBy(
  context: Context,
  { operation, slot }: Deleter,
  resource: Resource,
  name: string,
): Promise<boolean> {
  const cannot = (status: number) =>
    status < 400 || name === AGAIN
      ? []
      : [fault('sequence', `what was just created cannot be deleted or revoked: ${String(status)}`, 'a success')];
  if (slot === undefined) {
    const ended = await call(context, operation, resource, name, cannot);
    return ended?.answer !== undefined && ended.answer.status < 400;
  }
  if (resource.token === undefined) return false;
  const ended = await present(context, { operation, slot }, resource.token, name, (_, status) => cannot(status));
  return ended?.answer !== undefined && ended.answer.status < 400;
}

/** Checks that an edit or a rotation of a deleted or revoked thing gives no valid secret. Other effects are allowed. */
async function expectNoNewSecret(
  context: Context,
  operation: Operation,
  resource: Resource,
  how: string,
): Promise<void> {
  const { run, fixtures, credentials } = context;
  const exchange = await call(context, operation, resource, `${operation.id} ${how}`, () => []);
  if (exchange?.answer === undefined || exchange.answer.status >= 300) return;
  const token = await fixtures.credentialIn(operation, exchange);
  if (token === undefined || !(await credentials.isCredential(token))) return;
  const finding = fault('revocation', `${how} it gives a valid secret`, 'a rejection');
  run.record.fail({ ...ANY, name: `${operation.id} ${how}` }, exchange, finding);
}

/** Whether a thing has an end mark, such as `revokedAt`, that it did not have before. */
function isEnded(value: Json | undefined, before?: Json): boolean {
  const said = endingsIn(thingIn(before));
  return endingsIn(thingIn(value)).some((ending) => !said.includes(ending));
}

/** The places of the end marks in a thing. */
function endingsIn(value: JsonObject | undefined, path = ''): string[] {
  return membersOf(value).flatMap(([name, member]) => {
    const place = `${path}/${name}`;
    if (isTombstoneName(name)) return member !== null && member !== false ? [place] : [];
    if (isStateName(name))
      return /revoked|deleted|cancel|archived|disabled|removed|inactive/i.test(textOf(member)) ? [place] : [];
    return isObject(member) ? endingsIn(member, place) : [];
  });
}

async function expectListed(
  context: Context,
  resource: Resource,
  wanted: boolean,
  how = 'after its creation',
  before?: Json,
): Promise<void> {
  const { run } = context;
  const list = listOf(context, resource.creator);
  if (list === undefined) return;
  const walked = await walk(context, list, { phase: 'sequences', stopAt: resource.exchange.value });
  if (walked === undefined) return;
  const { found, last } = walked;
  const isThere = found !== undefined && (wanted || !isEnded(found, before));
  if (isThere === wanted) return;
  const finding = wanted
    ? fault('sequence', 'what was just created is not listed', 'a row for it')
    : fault('revocation', `${how} the thing is still listed`, 'no row for it, or one with a member such as revokedAt');
  run.record.fail({ ...ANY, name: wanted ? 'list after creating' : `list ${how}` }, last, finding);
}

async function call(
  { run, fixtures, obstacle }: Context,
  operation: Operation,
  resource: Resource,
  name: string,
  check: (status: number, value: Json | undefined) => Finding[],
): Promise<Exchange | undefined> {
  const draft = obstacle(operation) === undefined ? await fixtures.on(operation, resource) : undefined;
  return draft && (await run.send(draft, { ...ANY, name, check: ({ status }, value) => check(status, value) }));
}

function fault(check: Finding['check'], message: string, expected: string): Finding {
  return { check, message, expected };
}
