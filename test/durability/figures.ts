import { appendFileSync } from 'node:fs';

// Each program runs in a short form with all other tests, and in full with `npm run durability`, which prints the figures.

const file = process.env['LATCHKEY_DURABILITY'];

/** Whether this is the run of `npm run durability`. */
export const FULL = file !== undefined;

/** What came out, beside what was promised. */
export function publish(program: string, figure: string, value: string, promise = ''): void {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify([program, figure, value, promise])}\n`);
}

/** The value below which `share` of them are. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function milliseconds(value: number): string {
  return `${value.toFixed(0)} ms`;
}
