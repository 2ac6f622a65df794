import type { ContractProgress } from '../../contract/index.js';
import { visibleLines } from '../output/text.js';
import { showProgress } from '../progress.js';

/** Milliseconds until the first progress line in a log, and the longest pause between two lines. */
const FIRST_LINE = 2_000;
const LONGEST_PAUSE = 15_000;

/** Shows progress on standard error: one line that is updated on a terminal, lines at growing intervals in a log. */
export function showContractProgress(quiet: boolean): { show(state: ContractProgress): void; clear(): void } {
  if (quiet) return { show: () => undefined, clear: () => undefined };
  if (process.stderr.isTTY)
    return showProgress<ContractProgress>((state) => `${describe(state)}  ${visibleLines(state.operation)}`);
  let next = FIRST_LINE;
  return {
    show(state) {
      if (state.elapsedMs < next) return;
      next = state.elapsedMs + Math.min(state.elapsedMs, LONGEST_PAUSE);
      process.stderr.write(`${describe(state)}\n`);
    },
    clear: () => undefined,
  };
}

function describe({ operations, share, requests, failures, phase, elapsedMs, leftMs }: ContractProgress): string {
  const found = `${String(failures)} ${failures === 1 ? 'fault' : 'faults'}`;
  // Each operation is tested a little in every phase, so that nearly all of them end together.
  const done = `${String(Math.floor(share * 100))} % of ${String(operations)} operations`;
  const time = `${seconds(elapsedMs)}, ${seconds(leftMs)} left`;
  return `${done}  ${String(requests)} requests  ${found}  ${time}  ${phase}`;
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 1_000))} s`;
}
