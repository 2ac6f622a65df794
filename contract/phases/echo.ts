import * as fc from 'fast-check';
import { valuesOf } from '../cases/arbitrary.js';
import { slotsOf, withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import { canContain } from '../checks/comparable.js';
import { altered } from '../checks/echo.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { isObject, type Json, memberOf, sameJson } from '../document/json.js';
import { identify, isItemOperation, originOf, thingIn } from '../document/links.js';
import { type Operation, successOf } from '../document/model.js';
import { isExpiryName, isProtectionName, isSecretOrPasswordName, sameName } from '../document/names.js';
import { branches, flatten, typesOf } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import type { Draft } from '../http/draft.js';
import { dangerOf, isRotator } from '../policy.js';
import type { Run } from '../run.js';

const PHASE = 'sequences';

/** Texts that a server easily changes: it trims, normalises or escapes them, or cuts them between two UTF-16 units. */
const TEXTS = [' two  spaces ', 'Ame\u0301lie A\u030A', '\u{1F511} \u{20BB7}', `<b>&amp; "q" 'a' \\ %41</b>`];
/** An instant in a time zone that few servers use. */
const INSTANT = '2041-05-06T07:08:09.123+05:30';

/** Creates things with unusual values, and checks that the answer and the fetched thing contain them unchanged. */
export async function runEcho(context: Context, creator: Operation): Promise<void> {
  const { run, fixtures } = context;
  if (creator.method !== 'POST' || creator.body === undefined || isRotator(creator)) return;
  if (dangerOf(creator, run.spec) !== 'none' || context.obstacle(creator) !== undefined) return;
  const makes = run.spec.operations.some((each) => originOf(run.spec, each)?.creator === creator);
  if (!makes || !echoesMembers(run, creator)) return;
  await checkPlain(context, creator);
  for (const [index, text] of TEXTS.entries()) {
    if (run.outOfTime()) return;
    // The first conflict shows that values must be unique.
    for (const isLast of [false, true]) {
      if (fixtures.isUnique(creator)) fixtures.varyTexts(creator);
      const base = await fixtures.base(creator, { all: 'members', phase: PHASE });
      const status = await createAndCompare(
        context,
        withTexts(run, base, text, index),
        `create with ${JSON.stringify(text)}`,
      );
      if (status !== 409 || isLast) break;
      fixtures.varyTexts(creator);
    }
  }
}

/** Whether the documented answer has a member with the name of one in the request. */
function echoesMembers({ spec }: Run, creator: Operation): boolean {
  const asked = namesIn(spec.requests, creator.body?.schema);
  const [media] = successOf(creator)?.content ?? [];
  const told = namesIn(spec.answers, media?.schema, 1);
  return asked.some((name) => told.some((other) => sameName(name, other)));
}

function namesIn(document: Run['spec']['requests'], schema: Parameters<typeof flatten>[1], depth = 0): string[] {
  return branches(document, schema).flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, inner]) =>
      depth > 0 ? [name, ...namesIn(document, inner, depth - 1)] : [name],
    ),
  );
}

/**
 * Creates a thing with only the required members. Checks that omitted members have their documented defaults, that
 * `Location` leads to the thing, and that the charset UTF-8 is accepted.
 */
async function checkPlain(context: Context, creator: Operation): Promise<void> {
  const { run, fixtures } = context;
  const info = { phase: PHASE, name: 'create with only the required members' } as const;
  const made = await fixtures.create(creator, info);
  if (made === undefined) return;
  const { draft, value } = made.exchange;
  const status = made.exchange.answer?.status ?? 0;
  for (const finding of [...changedIn(run, draft, creator, status, value), ...defaultsIn(run, draft, value)])
    run.record.fail(info, made.exchange, finding);
  await followLocation(context, made.exchange);
  if (creator.body?.kind !== 'json' || draft.contentType !== undefined) return;
  if (fixtures.isUnique(creator)) fixtures.varyTexts(creator);
  const base = await fixtures.base(creator, { phase: PHASE });
  // RFC 9110, section 8.3.1: the letter case of a charset does not matter.
  const charset = run.spec.operations.indexOf(creator) % 2 === 0 ? 'UTF-8' : 'utf-8';
  const contentType = `${creator.body.mediaType}; charset=${charset}`;
  const message = `a body with charset=${charset} gets 415`;
  await run.send(
    { ...base, contentType },
    {
      phase: PHASE,
      name: `the media type ${contentType}`,
      check: ({ status }) =>
        status === 415 ? [{ check: 'acceptance', message, expected: 'the same as without the charset' }] : [],
    },
  );
}

function defaultsIn({ spec }: Run, { operation, body }: Draft, value: Json | undefined): Finding[] {
  const thing = thingIn(value);
  return slotsOf(spec.requests, operation.body?.schema).flatMap(({ path, schema }): Finding[] => {
    const name = String(path[0]);
    const wanted = flatten(spec.requests, schema).default;
    const told = memberOf(thing, name);
    if (path.length > 1 || wanted === undefined || told === undefined || memberOf(body, name) !== undefined) return [];
    if (contains(told, wanted)) return [];
    const message = `an omitted ${name} does not get its documented default`;
    return [{ check: 'default', message, expected: `${name}: ${JSON.stringify(wanted)}` }];
  });
}

/** Whether a value is the default, or for an object has all its members: a server may fill in others. */
function contains(told: Json | undefined, wanted: Json): boolean {
  if (told === undefined || !isObject(wanted)) return told !== undefined && sameJson(told, wanted);
  return isObject(told) && Object.entries(wanted).every(([name, member]) => contains(told[name], member));
}

function changedIn(
  run: Run,
  { body }: Draft,
  asked: Operation,
  status: number,
  value: Json | undefined,
  where = 'the answer',
): Finding[] {
  return altered(body, value).flatMap(({ name, expected }) => {
    const sent = memberOf(body, name);
    if (sent !== undefined && !canContain(run.judge, asked, status, value, name, sent)) return [];
    return [practice(run.options, 'echo', 'echo', `${name} in ${where} differs from what was sent`, expected)];
  });
}

async function createAndCompare(context: Context, draft: Draft, name: string): Promise<number | undefined> {
  const { run, fixtures } = context;
  const made = await run.send(draft, {
    phase: PHASE,
    name,
    check: ({ status }, value) => (status < 300 ? changedIn(run, draft, draft.operation, status, value) : []),
  });
  const status = made.answer?.status;
  if (status === undefined || status >= 300) return status;
  const resource = { creator: draft.operation, exchange: made, token: undefined };
  fixtures.made.push(resource);
  const getter = run.spec.operations.find(
    (each) => each.method === 'GET' && isItemOperation(each) && originOf(run.spec, each)?.creator === draft.operation,
  );
  const look = getter && context.obstacle(getter) === undefined ? await fixtures.on(getter, resource) : undefined;
  if (look === undefined) return status;
  await run.send(look, {
    phase: PHASE,
    name: `get after: ${name}`,
    expectation: 'any',
    check: ({ status }, value) =>
      status < 300 ? changedIn(run, draft, look.operation, status, value, 'the thing') : [],
  });
  return status;
}

/** The request with `text`, and other values that a server easily changes, wherever the schema allows them. */
function withTexts(run: Run, base: Draft, text: string, index: number): Draft {
  let draft = base;
  for (const { path, schema } of slotsOf(run.spec.requests, base.operation.body?.schema)) {
    const name = String(path.at(-1));
    const flat = flatten(run.spec.requests, schema);
    if (isSecretOrPasswordName(name) || isProtectionName(name) || flat.enum !== undefined) continue;
    const types = typesOf(flat);
    const isPlain = types.includes('string') && flat.format === undefined;
    const values: Json[] = [];
    if (isPlain) values.push(`${name} ${text}${'x'.repeat(index * 9)}`, text);
    if (flat.format === 'date-time' && isExpiryName(name)) values.push(INSTANT);
    if (types.includes('boolean') && path.length === 1) values.push(index % 2 === 0);
    if (types.includes('integer') && /days?$/i.test(name)) values.push(30 + index);
    if (types.includes('array') && path.length === 1) {
      const lists = fc.sample(valuesOf(run.spec.requests, schema, name), { seed: run.seed + index, numRuns: 20 });
      values.push(...lists.filter((list) => Array.isArray(list) && list.length > 0));
    }
    for (const value of values) {
      const body = withValue(draft.body ?? {}, path, value);
      if (body === undefined) continue;
      const other = { ...draft, body };
      if (run.judgeRequest(other).kind !== 'valid') continue;
      draft = other;
      break;
    }
  }
  return draft;
}

/** Checks that GET of the `Location` of a 201 returns the created thing (RFC 9110, section 10.2.2). */
async function followLocation({ run, fixtures, credentials, obstacle }: Context, made: Exchange): Promise<void> {
  const { location } = made.answer?.headers ?? {};
  const { operation } = made.draft;
  if (location === undefined || made.answer?.status !== 201) return;
  const fail = (finding: Finding, exchange = made) => {
    run.record.fail({ phase: PHASE, name: 'follow Location', expectation: 'any' }, exchange, finding);
  };
  const target = URL.canParse(location, new URL(made.wire.target, run.base))
    ? new URL(location, new URL(made.wire.target, run.base))
    : undefined;
  if (target === undefined) {
    fail({ check: 'location', message: 'Location is not a URI reference', expected: 'a URI reference' });
    return;
  }
  if (target.origin !== run.base.origin) {
    fail(practice(run.options, 'location', 'location', 'Location leads to another origin', run.base.origin));
    return;
  }
  const prefix = run.base.pathname.replace(/\/$/, '');
  if (!target.pathname.startsWith(prefix)) return;
  const rawPath = target.pathname.slice(prefix.length);
  const getter = run.spec.operations.find(
    (each) => each.method === 'GET' && new RegExp(`^${each.path.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(rawPath),
  );
  if (getter !== undefined && obstacle(getter) !== undefined) return;
  const base = getter === undefined ? undefined : await fixtures.base({ ...getter, parameters: [] });
  const draft: Draft = {
    ...(base ?? credentials.attach({ ...made.draft, body: undefined, query: {}, header: {} })),
    operation: getter ?? operation,
    method: 'GET',
    rawPath,
    rawQuery: target.search === '' ? undefined : target.search.slice(1),
  };
  const id = identify(made.value, 'id');
  const followed = await run.send(draft, { phase: PHASE, name: 'follow Location', expectation: 'any', outside: true });
  const { status = 500 } = followed.answer ?? {};
  const isItself = id === undefined || followed.value === undefined || sameJson(identify(followed.value, 'id'), id);
  // If the document has no GET at that path, a server may answer with an error other than 404.
  if (status < 300 ? isItself : getter === undefined && status !== 404) return;
  const message = status < 300 ? 'Location leads to another thing' : `Location leads to ${String(status)}`;
  fail({ check: 'location', message, expected: 'the created thing' }, followed);
}
