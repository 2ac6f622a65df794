import { randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { valuesOf } from './cases/arbitrary.js';
import type { Json } from './document/json.js';
import type { Operation, Parameter, Spec } from './document/model.js';
import { isOnceKeyName } from './document/names.js';
import type { Draft } from './http/draft.js';
import type { WireRequest } from './http/encode.js';
import type { Judge } from './judge.js';

/** Shorter keys somebody may have sent before. */
export const SHORTEST_KEY = 16;

/** Makes the keys by which a server knows a repeated request. */
export interface Keys {
  /** A key that no request had before: random whatever the seed is, since servers remember keys from run to run. */
  fresh(parameter: Parameter, length?: number): string | undefined;
  /** The draft with a fresh key of the same length in the place of a good one that is long enough. */
  renew(draft: Draft): Draft;
  /** Whether the key of a request was used before; from now on it was. */
  use(operation: Operation, request: WireRequest): boolean;
}

export function createKeys({ requests }: Spec, judge: Judge): Keys {
  const used = new Set<string>();
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
      if (key === undefined) return false;
      const isUsed = used.has(key);
      used.add(key);
      return isUsed;
    },
  };
}

/** The parameter by which an operation knows a repeated request; undefined where it has none. */
export function onceKeyOf({ parameters }: Operation): Parameter | undefined {
  return parameters.find(({ in: place, name }) => place === 'header' && isOnceKeyName(name));
}
