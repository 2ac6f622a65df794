import type { CaseInfo } from '../exchange.js';
import type { Draft } from '../http/draft.js';

/** A request that differs from a valid one in one respect. */
export interface Case extends Omit<CaseInfo, 'phase'> {
  change: (base: Draft) => Draft;
}

/** Takes one case from each generator in turn, so that a run that stops early has tried something of each. */
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
