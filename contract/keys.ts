import { randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { valuesOf } from './cases/arbitrary.js';
import type { Json } from './document/json.js';
import type { Operation, Parameter, Spec } from './document/model.js';
import { isOnceKeyName } from './document/names.js';
import type { Draft } from './http/draft.js';
import type { WireRequest } from './http/encode.js';
import type { Judge } from './judge.js';

/** Characters. Another client may have sent a shorter Idempotency-Key before. */
export const SHORTEST_KEY = 16;

/** Generates the values of `Idempotency-Key`, and remembers which were sent. */
export interface Keys {
  /**
   * A new key that the schema allows, of `length` characters if that is given; undefined if none is found. It does not
   * depend on the seed, because servers remember keys between runs.
   */
  fresh(parameter: Parameter, length?: number): string | undefined;
  /** Replaces a valid key of at least `SHORTEST_KEY` characters by a new one of the same length. */
  renew(draft: Draft): Draft;
  /**
   * Remembers the key of a request that is sent. The result tells whether another request with the key has been sent by then:
   * of requests at once, a server may answer any one first.
   */
  use(operation: Operation, request: WireRequest): () => boolean;
}

export function createKeys({ requests }: Spec, judge: Judge): Keys {
  /** How many requests were sent with each key. */
  const used = new Map<string, number>();
  const fits = ({ pointer }: Parameter, key: Json) =>
    pointer === undefined || judge.objections('request', pointer, key).length === 0;

  function fresh(parameter: Parameter, length?: number): string | undefined {
    const isWanted = (key: Json) =>
      typeof key === 'string' &&
      (length === undefined ? key.length >= SHORTEST_KEY : key.length === length) &&
      fits(parameter, key);
    const digits = randomBytes(length ?? SHORTEST_KEY).toString('hex');
    const plain = [randomUUID(), digits.slice(0, length)].find(isWanted);
    if (plain !== undefined) return plain;
    const values = valuesOf(requests, parameter.schema, parameter.name);
    const found = fc.sample(values, { seed: randomBytes(4).readInt32LE(), numRuns: 40 }).find(isWanted);
    return typeof found === 'string' ? found : undefined;
  }

  return {
    fresh,
    renew(draft) {
      const parameter = onceKeyOf(draft.operation);
      if (parameter === undefined) return draft;
      const key = draft.header[parameter.name];
      if (typeof key !== 'string' || key.length < SHORTEST_KEY || !fits(parameter, key)) return draft;
      return { ...draft, header: { ...draft.header, [parameter.name]: fresh(parameter, key.length) ?? key } };
    },
    use(operation, { headers }) {
      const parameter = onceKeyOf(operation);
      const key = parameter && headers[parameter.name];
      if (key === undefined) return () => false;
      used.set(key, (used.get(key) ?? 0) + 1);
      return () => Number(used.get(key)) > 1;
    },
  };
}

/** The `Idempotency-Key` parameter of an operation; undefined if it has none. */
export function onceKeyOf({ parameters }: Operation): Parameter | undefined {
  return parameters.find(({ in: place, name }) => place === 'header' && isOnceKeyName(name));
}
