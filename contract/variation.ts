import * as fc from 'fast-check';
import { valuesOf } from './cases/arbitrary.js';
import { type Slot, slotsOf, valueAt, withValue } from './cases/slots.js';
import { isObject, type Json, sameJson } from './document/json.js';
import { isProtectionName, isSecretOrPasswordName } from './document/names.js';
import { branches, typesOf } from './document/schema.js';
import type { Draft } from './http/draft.js';
import type { Run } from './run.js';

/** The members of an operation's body at its first level, without those that exclude the caller's own credential. */
export function membersToSend({ spec }: Run, { body }: Draft['operation']): Slot[] {
  return slotsOf(spec.requests, body?.schema).filter(
    ({ path: [name, ...inner] }) => inner.length === 0 && typeof name === 'string' && !isProtectionName(name),
  );
}

/**
 * The request with other texts in its body, for a thing whose values must be unique. `count` selects the texts. A
 * member keeps its value if it is an enum or a secret, or if no other text is valid.
 */
export function withOtherTexts(run: Run, draft: Draft, count: number): Draft {
  let varied = draft;
  for (const slot of membersToSend(run, draft.operation)) {
    const present = valueAt(draft.body, slot.path);
    const isOpen = branches(run.spec.requests, slot.schema).every((branch) => branch.enum === undefined);
    if (typeof present !== 'string' || !isOpen || isSecretOrPasswordName(String(slot.path[0]))) continue;
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
 * A valid request that differs from `draft` in one member of its body, whose value is not `present`; undefined if none
 * is found. The value has no white space at its ends, which a server may strip.
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
  // A password is masked from now on, so it must be a text that appears nowhere else.
  const words = isSecretOrPasswordName(name) ? ['another-Passw0rd', 'another-Passw0rd-1'] : ['another', 'another-1'];
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
