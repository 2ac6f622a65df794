import * as fc from 'fast-check';
import { valuesOf } from './cases/arbitrary.js';
import { type Slot, slotsOf, withValue } from './cases/slots.js';
import type { Draft } from './http/draft.js';
import type { Run } from './run.js';
import { isObject, type Json, sameJson } from './spec/json.js';
import { branches, typesOf } from './spec/schema.js';

/** The members of an operation's body, without what is in them. */
export function membersToSend({ spec }: Run, { body }: Draft['operation']): Slot[] {
  return slotsOf(spec.requests, body?.schema).filter(({ path }) => path.length === 1 && typeof path[0] === 'string');
}

/**
 * The request with another value than `present` at a place of its body, valid all the same; undefined where none is
 * found. Plain values are preferred: what a server makes of white space around a text no schema tells.
 */
export function withAnother(
  run: Run,
  draft: Draft,
  { path, schema }: Slot,
  present: Json | undefined,
): Draft | undefined {
  const document = run.spec.requests;
  const name = String(path.at(-1));
  const isBoolean = branches(document, schema).some((branch) => typesOf(branch).includes('boolean'));
  const random = fc.sample(valuesOf(document, schema, name), { seed: run.seed, numRuns: 60 });
  const candidates: Json[] = isBoolean ? [present !== true] : ['another', 'another-1', ...random];
  const body = isObject(draft.body) ? draft.body : {};
  for (const value of candidates) {
    if (value === null || sameJson(value, present) || (typeof value === 'string' && value.trim() !== value)) continue;
    const changed = withValue(body, path, value);
    if (changed === undefined) continue;
    const other = { ...draft, body: changed };
    if (run.judgeRequest(other).kind === 'valid') return other;
  }
  return undefined;
}
