import { randomBytes, randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { valuesOf } from './cases/arbitrary.js';
import type { Draft } from './http/draft.js';
import type { Judge } from './judge.js';
import type { Parameter, Spec } from './spec/model.js';
import { isOnceKeyName } from './spec/names.js';

/** Shorter keys somebody may have sent before. */
export const SHORTEST_KEY = 16;

/** Makes the keys by which a server knows a repeated request. */
export interface Keys {
  /** A key that no request had before: random whatever the seed is, since servers remember keys from run to run. */
  fresh(parameter: Parameter, length?: number): string | undefined;
  /** The draft with a fresh key of the same length in the place of each good one that is long enough. */
  renew(draft: Draft): Draft;
}

export function createKeys({ requests }: Spec, judge: Judge): Keys {
  function fresh({ schema, pointer, name }: Parameter, length?: number): string | undefined {
    const wanted = length ?? 32;
    const digits = randomBytes(Math.ceil(wanted / 2)).toString('hex');
    const candidates = [
      randomUUID(),
      digits.slice(0, wanted),
      ...fc.sample(valuesOf(requests, schema, name), { seed: randomBytes(4).readInt32LE(), numRuns: 40 }),
    ];
    return candidates.find(
      (key): key is string =>
        typeof key === 'string' &&
        (length === undefined ? key.length >= SHORTEST_KEY : key.length === length) &&
        (pointer === undefined || judge.objections('request', pointer, key).length === 0),
    );
  }

  return {
    fresh,
    renew(draft) {
      const renewed = draft.operation.parameters.flatMap((parameter) => {
        const key = draft.header[parameter.name];
        if (parameter.in !== 'header' || !isOnceKeyName(parameter.name)) return [];
        if (typeof key !== 'string' || key.length < SHORTEST_KEY) return [];
        if (parameter.pointer !== undefined && judge.objections('request', parameter.pointer, key).length > 0)
          return [];
        return [[parameter.name, fresh(parameter, key.length) ?? key] as const];
      });
      return renewed.length === 0 ? draft : { ...draft, header: { ...draft.header, ...Object.fromEntries(renewed) } };
    },
  };
}
