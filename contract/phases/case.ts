import type { Finding } from '../checks/answer.js';
import type { CaseInfo } from '../exchange.js';
import type { Draft } from '../http/draft.js';
import type { Answer } from '../http/send.js';

/** A request that differs from a valid one in one respect. */
export interface Case extends Omit<CaseInfo, 'phase'> {
  change: (base: Draft) => Draft;
  /** Compares the answer with that to the valid request, which is sent only if the answer has this status. */
  beside?: { status: number; check: (plain: Answer) => Finding[] };
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
