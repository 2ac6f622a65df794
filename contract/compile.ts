import type { Operation, Spec } from './document/model.js';
import { pointersIn } from './document/read.js';
import type { Judge } from './judge.js';
import { dateNow, sleep } from './timers.js';

/** The share of the run's time that compiling may take before the first request; later a schema is compiled when needed. */
const SHARE = 0.25;
/** Milliseconds after which other work gets a turn. */
const TURN_MS = 50;

/** Compiles the schemas of operations before the first request, so that the broken ones are known by then. */
export async function compileAll(
  operations: Operation[],
  { broken }: Spec,
  judge: Judge,
  startedAt: number,
  timeMs: number,
): Promise<void> {
  let turnAt = dateNow() + TURN_MS;
  for (const operation of operations.filter(({ id }) => !broken.has(id)))
    for (const direction of ['request', 'response'] as const)
      for (const pointer of pointersIn(direction, operation)) {
        if (dateNow() >= startedAt + timeMs * SHARE) return;
        judge.compile(direction, pointer);
        if (dateNow() < turnAt) continue;
        await sleep(0);
        turnAt = dateNow() + TURN_MS;
      }
}
