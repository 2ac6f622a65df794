import * as fc from 'fast-check';
import { valuesOf } from './cases/arbitrary.js';
import { type Slot, slotsOf, valueAt, withValue } from './cases/slots.js';
import { isObject, type Json, sameJson } from './document/json.js';
import { holdsSecret, isProtectionName } from './document/names.js';
import { branches, typesOf } from './document/schema.js';
import type { Draft } from './http/draft.js';
import type { Run } from './run.js';

/** The members of an operation's body, without what is in them; those that spare the credential in use stay true. */
export function membersToSend({ spec }: Run, { body }: Draft['operation']): Slot[] {
  return slotsOf(spec.requests, body?.schema).filter(
    ({ path: [name, ...inner] }) => inner.length === 0 && typeof name === 'string' && !isProtectionName(name),
  );
}

/**
 * The request with other texts in its body, for a thing that may be there but once: `count` says which others. Members
 * that have but a few values stay, and so do those for which there is no other text.
 */
export function withOtherTexts(run: Run, draft: Draft, count: number): Draft {
  let varied = draft;
  for (const slot of membersToSend(run, draft.operation)) {
    const present = valueAt(draft.body, slot.path);
    const isOpen = branches(run.spec.requests, slot.schema).every((branch) => branch.enum === undefined);
    if (typeof present !== 'string' || !isOpen || holdsSecret(String(slot.path[0]))) continue;
    const document = run.spec.requests;
    const texts = fc.sample(valuesOf(document, slot.schema), { seed: run.seed + count, numRuns: 20 });
    for (const text of [...(present.includes('@') ? [] : [`${present.slice(0, 30)} ${String(count)}`]), ...texts]) {
      const changed = withValue(varied.body ?? {}, slot.path, text);
      if (typeof text !== 'string' || changed === undefined) continue;
      const other = { ...varied, body: changed };
      if (run.judgeRequest(other).kind !== 'valid') continue;
      varied = other;
      break;
    }
  }
  return varied;
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
  // Of a password, which is masked from then on, no text that turns up elsewhere.
  const words = holdsSecret(name) ? ['another-Passw0rd', 'another-Passw0rd-1'] : ['another', 'another-1'];
  const candidates: Json[] = isBoolean ? [present !== true] : [...words, ...random];
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
