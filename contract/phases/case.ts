import type { CaseInfo } from '../exchange.js';
import type { Draft } from '../http/draft.js';

/** A request that differs from the good one in one thing. */
export interface Case extends Omit<CaseInfo, 'phase'> {
  change: (base: Draft) => Draft;
}

/** One case of each in turn, so that what comes first has something of everything. */
export function* interleaved<T>(parts: Generator<T>[]): Generator<T> {
  let left = parts;
  while (left.length > 0) {
    const going: Generator<T>[] = [];
    for (const part of left) {
      const next = part.next();
      if (next.done === true) continue;
      yield next.value;
      going.push(part);
    }
    left = going;
  }
}
