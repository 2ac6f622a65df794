import { valueAt, withValue } from '../cases/slots.js';
import type { Context } from '../context.js';
import { type Json, type JsonObject, membersOf } from '../document/json.js';
import { isItemOperation, originOf, thingIn } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { isGraceName } from '../document/names.js';
import { flatten } from '../document/schema.js';
import type { Resource } from '../fixtures.js';
import type { Draft } from '../http/draft.js';
import { membersToSend } from '../variation.js';
import { strayed } from './edits.js';
import { expectInvalid, expectValid } from './validity.js';

const PHASE = 'sequences';

/**
 * Rotates a thing without a grace period, and checks that only the new secret is valid. Then rotates it with the
 * longest grace period, and checks that both secrets are valid. Resolves with the valid secrets, the newest first.
 */
export async function runRotation(context: Context, rotator: Operation, resource: Resource): Promise<string[]> {
  const { token: first } = resource;
  if (first === undefined || context.obstacle(rotator) !== undefined) return [];
  const draft = await context.fixtures.on(rotator, resource);
  if (draft === undefined) return [first];
  const second = await rotate(context, withGrace(context, draft, 'none'), await thingNow(context, rotator, resource));
  if (second !== undefined) {
    await expectValid(context, second, `after ${rotator.id}`);
    await expectInvalid(context, first, `after ${rotator.id}`);
  }
  const left = second ?? first;
  const third = await rotate(context, withGrace(context, draft, 'longest'));
  if (third === undefined) return [left];
  for (const token of [third, left]) await expectValid(context, token, `in the grace period of ${rotator.id}`);
  return [third, left];
}

/** Rotates the caller's own credential, a disposable one, and checks that only the new secret is valid. */
export async function runOwnRotation(context: Context, rotator: Operation): Promise<void> {
  const { fixtures, credentials, obstacle } = context;
  if (obstacle(rotator) !== undefined) return;
  const own = await context.throwaway(rotator, PHASE);
  if (own === undefined) return;
  const draft = withGrace(context, credentials.attach(await fixtures.base(rotator), own), 'none');
  const token = await rotate(context, draft);
  if (token === undefined) return;
  await expectValid(context, token, `after ${rotator.id}`);
  await expectInvalid(context, own.token, `after ${rotator.id}`);
}

/** Rotates a thing with a grace period of one second. Resolves with false if the operation cannot do that. */
export async function rotateBriefly(context: Context, rotator: Operation, resource: Resource): Promise<boolean> {
  if (context.obstacle(rotator) !== undefined) return false;
  const draft = await context.fixtures.on(rotator, resource);
  return draft !== undefined && (await rotate(context, withGrace(context, draft, 'shortest'))) !== undefined;
}

/** The current state of a thing; undefined if it cannot be fetched. */
async function thingNow(
  { run, fixtures, obstacle }: Context,
  rotator: Operation,
  resource: Resource,
): Promise<JsonObject | undefined> {
  const getter = run.spec.operations.find(
    (each) =>
      each.method === 'GET' &&
      isItemOperation(each) &&
      originOf(run.spec, each)?.creator === originOf(run.spec, rotator)?.creator,
  );
  const draft = getter && obstacle(getter) === undefined ? await fixtures.on(getter, resource) : undefined;
  const got = draft && (await run.send(draft, { phase: PHASE, name: 'get what is rotated', expectation: 'any' }));
  return got?.answer !== undefined && got.answer.status < 300 ? thingIn(got.value) : undefined;
}

/** The request with this grace period; undefined if the operation does not allow it. */
function withGrace({ run }: Context, draft: Draft, wanted: 'none' | 'shortest' | 'longest'): Draft | undefined {
  const slot = membersToSend(run, draft.operation).find(({ path }) => isGraceName(String(path[0])));
  if (slot === undefined) return wanted === 'none' ? draft : undefined;
  const { type, maximum = 3_600, default: assumed } = flatten(run.spec.requests, slot.schema);
  // Without the member, the default applies.
  if (wanted === 'none' && assumed === 0 && valueAt(draft.body, slot.path) === undefined) return draft;
  const isSeconds = /seconds|secs|ttl$/i.test(String(slot.path[0]));
  const value = wanted === 'none' ? 0 : wanted === 'longest' ? maximum : 1;
  if (type !== 'integer' || (wanted === 'shortest' && !isSeconds)) return undefined;
  const body = withValue(draft.body ?? {}, slot.path, value);
  if (body === undefined || valueAt(body, slot.path) !== value) return undefined;
  const rotation = { ...draft, body };
  return run.judgeRequest(rotation).kind === 'valid' ? rotation : undefined;
}

/** Rotates, and resolves with the new secret: one that authenticates, else one in a member with the usual name. */
async function rotate(
  { run, fixtures }: Context,
  draft: Draft | undefined,
  before?: JsonObject,
): Promise<string | undefined> {
  if (draft === undefined) return undefined;
  const exchange = await run.send(draft, {
    phase: PHASE,
    name: 'rotate its secret',
    check: ({ status }, value) => (status < 300 ? strayed(run, draft, before, value, 'the answer') : []),
  });
  if (exchange.answer === undefined || exchange.answer.status >= 300) return undefined;
  const names = [...run.issues.values()].flat().map((place) => place.slice(place.lastIndexOf('/') + 1));
  return (await fixtures.credentialIn(draft.operation, exchange)) ?? textNamed(exchange.value, names);
}

function textNamed(value: Json | undefined, names: string[]): string | undefined {
  for (const [name, member] of membersOf(value)) {
    const found = typeof member === 'string' && names.includes(name) ? member : textNamed(member, names);
    if (found !== undefined) return found;
  }
  return undefined;
}
