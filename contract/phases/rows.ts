import * as fc from 'fast-check';
import { valuesOf } from '../cases/arbitrary.js';
import { slotsOf, valueAt, withValue } from '../cases/slots.js';
import type { Context } from '../context.js';
import { isObject, type Json } from '../document/json.js';
import { identify, isItemOperation, originOf, pathNames, thingIn, trimmed } from '../document/links.js';
import type { Operation } from '../document/model.js';
import { isExpiryName, isProtectionName, isSecretOrPasswordName, isTombstoneName } from '../document/names.js';
import { flatten, typesOf } from '../document/schema.js';
import type { Draft } from '../http/draft.js';
import { isDeleter } from '../policy.js';
import type { Run } from '../run.js';
import { membersToSend } from '../variation.js';
import { isCollection } from './walk.js';

const PHASE = 'lists';

/** Words that every collation sorts alike, in an order unlike that of their creation. */
const WORDS = ['mango', 'apple', 'zebra', 'cherry', 'kiwi', 'banana'];

/** The rows that were created for a list. */
export interface Made {
  /** The ids of the rows, without those that were deleted or revoked again. */
  ids: Json[];
  /** The words in the texts of the rows, by id as JSON. */
  words: Map<string, string>;
}

/**
 * Creates rows that differ in every member that a list may sort or filter by: texts, numbers, instants, flags and
 * lists. One row is deleted or revoked, one gets a flag such as `disabled`, and the credential of one is used.
 */
export async function makeRows(context: Context, list: Operation): Promise<Made> {
  const { run, fixtures, obstacle, credentials } = context;
  const made: Made = { ids: [], words: new Map() };
  const creator = creatorOf(context, list);
  if (creator === undefined) return made;
  const onIt = run.spec.operations.filter((each) => originOf(run.spec, each)?.creator === creator);
  const remover = onIt.find(isDeleter);
  for (const [index, word] of WORDS.entries()) {
    if (fixtures.isUnique(creator)) fixtures.varyTexts(creator);
    const base = await fixtures.base(creator, { all: index % 2 === 0, phase: PHASE });
    const text = `${word} ${String(run.seed % 1000)}${String(made.words.size)}`;
    const draft = differing(run, base, text, index);
    let exchange = await run.send(draft, { phase: PHASE, name: 'create a row', expectation: 'any' });
    if (exchange.answer === undefined || exchange.answer.status >= 300) {
      const plain = await fixtures.create(creator, { phase: PHASE, name: 'create a row' });
      if (plain === undefined) return made;
      exchange = plain.exchange;
    }
    // What is only accepted may be listed later.
    if (exchange.answer?.status === 202) return made;
    const token = await fixtures.credentialIn(creator, exchange);
    const resource = { creator, exchange, token };
    fixtures.made.push(resource);
    const id = identify(thingIn(exchange.value), 'id');
    if (index === 0 && remover && obstacle(remover) === undefined) {
      const end = await fixtures.on(remover, resource);
      if (end) await run.send(end, { phase: PHASE, name: 'delete or revoke a row' });
      continue;
    }
    if (id !== undefined) {
      made.ids.push(id);
      if (JSON.stringify(exchange.draft.body ?? '').includes(text)) made.words.set(JSON.stringify(id), text);
    }
    if (index === 1) await disable(context, onIt, resource);
    const use = token === undefined ? undefined : credentials.probeWith({ token, perScheme: {} });
    if (index === 2 && use !== undefined) {
      await run.send(use, { phase: PHASE, name: 'use a row', expectation: 'any' });
    }
  }
  return made;
}

/** The operation that creates what `list` lists; undefined if there is none, or it cannot be called. */
export function creatorOf({ run, obstacle }: Context, list: Operation): Operation | undefined {
  const creator = run.spec.operations.find(
    ({ method, path }) => method === 'POST' && trimmed(path) === trimmed(list.path),
  );
  if (creator === undefined || !isCollection(run.spec, creator)) return undefined;
  return pathNames(creator).length === 0 && obstacle(creator) === undefined ? creator : undefined;
}

/** Sets a flag such as `disabled` by an edit, if the document allows it. */
async function disable(
  { run, fixtures, obstacle }: Context,
  onIt: Operation[],
  resource: Parameters<Context['fixtures']['on']>[1],
): Promise<void> {
  const editor = onIt.find((each) => each.method === 'PATCH' && isItemOperation(each) && obstacle(each) === undefined);
  const slot =
    editor &&
    membersToSend(run, editor).find(({ path, schema }) => {
      return isTombstoneName(String(path[0])) && typesOf(flatten(run.spec.requests, schema)).includes('boolean');
    });
  const good = editor && slot ? await fixtures.on(editor, resource) : undefined;
  const draft = good === undefined ? undefined : { ...good, body: withValue({}, slot?.path ?? [], true) };
  if (draft !== undefined && run.judgeRequest(draft).kind === 'valid')
    await run.send(draft, { phase: PHASE, name: 'disable a row', expectation: 'any' });
}

/** The request with `text` in its texts, and otherwise with values that differ from row to row. */
function differing(run: Run, base: Draft, text: string, index: number): Draft {
  let draft = base;
  for (const { path, schema, required } of slotsOf(run.spec.requests, base.operation.body?.schema)) {
    const name = String(path[0]);
    if (path.length > 1 || isSecretOrPasswordName(name) || isProtectionName(name)) continue;
    const present = valueAt(draft.body, path);
    // Every second row omits optional members, to test where such rows are sorted.
    if (present === undefined && !required && index % 2 === 1 && index !== 3) continue;
    for (const value of candidates(run, schema, name, text, index)) {
      const body = withValue(isObject(draft.body) ? draft.body : {}, path, value);
      const other = { ...draft, body };
      if (body === undefined || run.judgeRequest(other).kind !== 'valid') continue;
      draft = other;
      break;
    }
  }
  return draft;
}

function candidates(
  run: Run,
  schema: Parameters<typeof flatten>[1],
  name: string,
  text: string,
  index: number,
): Json[] {
  const flat = flatten(run.spec.requests, schema);
  const types = typesOf(flat);
  if (flat.enum && flat.enum.length > 0) return [flat.enum[index % flat.enum.length] ?? null];
  if (types.includes('boolean')) return [index % 2 === 1];
  if (types.includes('integer') || types.includes('number')) {
    const lowest = flat.minimum ?? (flat.exclusiveMinimum ?? 0) + 1;
    return [lowest + ((index * 5 + 3) % 7) + 20, lowest + ((index * 5 + 3) % 7), lowest];
  }
  if (flat.format === 'date-time' && isExpiryName(name))
    return [`20${String(41 + ((index * 5 + 3) % 7))}-05-06T07:08:09.120Z`];
  if (types.includes('string') && flat.format === undefined) return [text, text.replaceAll(/[ \d]/g, '')];
  return fc.sample(valuesOf(run.spec.requests, schema, name), { seed: run.seed + index, numRuns: 20 });
}
