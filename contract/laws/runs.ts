import { valueAt } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { type Json, sameJson } from '../document/json.js';
import { evaluate, isItemOperation, originOf, thingIn } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { isVolatileName } from '../document/names.js';
import type { Exchange } from '../exchange.js';
import { type Resource, sourceOf } from '../fixtures.js';
import { emptyDraft } from '../http/draft.js';
import { dateNow, sleep } from '../timers.js';
import type { RefusalLaw, UndoLaw } from './types.js';
import { runWorkflows } from './workflows.js';

const ANY = { phase: 'sequences', expectation: 'any' } as const;
/** Milliseconds between two uses of a credential that the server should soon reject. */
const PAUSE = 20;

/** Checks the laws `undoes`, `refusals` and `workflows`. */
export async function runLaws(context: Context): Promise<void> {
  const { undoes = [], refusals = [] } = context.run.options.laws ?? {};
  for (const law of undoes) await tryUndo(context, law);
  for (const law of refusals) await tryRefusal(context, law);
  await runWorkflows(context);
}

function find({ run, obstacle }: Context, id: string): Operation | undefined {
  const operation = run.spec.operations.find((each) => each.id === id);
  if (operation === undefined) run.record.note(`a law names the operation ${id}, which the document does not have`);
  return operation && obstacle(operation) === undefined ? operation : undefined;
}

async function tryUndo(context: Context, law: UndoLaw): Promise<void> {
  const { run, fixtures } = context;
  const [operation, by] = [find(context, law.operation), find(context, law.by)];
  const origin = operation && originOf(run.spec, operation);
  if (operation === undefined || by === undefined || origin === undefined || run.outOfTime()) return;
  const resource = await fixtures.create(origin.creator, { phase: 'sequences', name: `create for ${operation.id}` });
  if (resource === undefined) return;
  const before = await look(context, origin.creator, resource);
  const did = await act(context, operation, resource, law.body);
  const undid = await act(context, by, resource, law.byBody);
  if (before === undefined || !isDone(did) || !isDone(undid)) return;
  const after = await look(context, origin.creator, resource);
  const fail = (message: string, expected: string) => {
    run.record.fail({ ...ANY, name: `${by.id} after ${operation.id}` }, undid, broken(message, expected));
  };
  if (!sameJson(before, after)) fail(`${by.id} does not undo ${operation.id}`, JSON.stringify(before));
  const { token } = resource;
  if (token !== undefined && (await context.credentials.stateOf({ token, perScheme: {} })) === 'rejected')
    fail(`after ${by.id} the credential of the thing is still rejected`, 'no 401');
}

async function tryRefusal(context: Context, law: RefusalLaw): Promise<void> {
  const { run, fixtures, credentials } = context;
  const [after, of] = [find(context, law.after), find(context, law.of)];
  if (after === undefined || of === undefined || run.outOfTime()) return;
  if (law.by !== undefined) fixtures.varyTexts(of);
  const resource = await fixtures.create(of, { phase: 'sequences', name: `create for ${after.id}` });
  const token = resource && (law.by === undefined ? resource.token : await obtain(context, resource, law.by));
  if (resource === undefined || token === undefined) return;
  const use = credentials.probeWith({ token, perScheme: {} });
  if (use === undefined) return;
  // A use beforehand: a server that caches valid credentials then accepts this one too long.
  const usual = await run.send(use, { ...ANY, name: 'use a credential' });
  if (usual.answer === undefined || usual.answer.status >= 400) return;
  const done = await act(context, after, resource, law.body);
  if (!isDone(done)) return;
  const { withinMs = 0 } = law;
  const end = dateNow() + withinMs;
  const name = `use a credential after ${after.id}`;
  for (;;) {
    const isLate = dateNow() >= end;
    const used = await run.send(use, { ...ANY, name });
    if (used.answer?.status === 401 || used.answer?.status === 403) return;
    if (isLate) {
      const message = `after ${after.id} a credential still gets ${String(used.answer?.status)}`;
      run.record.fail({ ...ANY, name }, used, broken(message, `401 within ${String(withinMs)} ms`));
      return;
    }
    await sleep(PAUSE);
  }
}

/** The credential that the operation of `by` issues, with a body made from the answer that created `resource`. */
async function obtain(
  context: Context,
  { exchange }: Resource,
  { operation: id, body }: NonNullable<RefusalLaw['by']>,
): Promise<string | undefined> {
  const { run, credentials } = context;
  const operation = find(context, id);
  if (operation === undefined) return undefined;
  const draft = { ...emptyDraft(operation), body: evaluate(body, sourceOf(exchange)) };
  const { value } = await run.send(draft, { ...ANY, name: 'get a credential of the thing' });
  const texts = run.secrets.issuedIn(value);
  for (const token of texts) if (await credentials.isCredential(token)) return token;
  return undefined;
}

async function act(
  { run, fixtures }: Context,
  operation: Operation,
  resource: Resource,
  body: Json | undefined,
): Promise<Exchange | undefined> {
  const good = await fixtures.on(operation, resource);
  if (good === undefined) return undefined;
  const draft = body === undefined ? good : { ...good, body };
  return await run.send(draft, { phase: 'sequences', name: `${operation.id}, by a law` });
}

function isDone(exchange: Exchange | undefined): exchange is Exchange {
  return exchange?.answer !== undefined && exchange.answer.status < 300;
}

/** The current state of a thing, without members that change by themselves. */
async function look(
  { run, fixtures, obstacle }: Context,
  creator: Operation,
  resource: Resource,
): Promise<Json | undefined> {
  const getter = run.spec.operations.find(
    (each) => each.method === 'GET' && isItemOperation(each) && originOf(run.spec, each)?.creator === creator,
  );
  const draft = getter && obstacle(getter) === undefined ? await fixtures.on(getter, resource) : undefined;
  const got = draft && (await run.send(draft, { ...ANY, name: 'get what a law is about' }));
  const thing = isDone(got) ? valueAt(thingIn(got.value), []) : undefined;
  return thing === undefined
    ? undefined
    : Object.fromEntries(Object.entries(thing ?? {}).filter(([name]) => !isVolatileName(name)));
}

function broken(message: string, expected: string): Finding {
  return { check: 'law', message: `by a law: ${message}`, expected };
}
