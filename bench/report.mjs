// @ts-check
import { ratios, spread, table } from './figures.mjs';

/**
 * @typedef {import('./rounds.mjs').Figure} Figure
 * @typedef {'rate' | 'cost' | 'databaseCost' | 'p50' | 'p99'} Measure
 */

/**
 * Prints medians with their least and most, and ratios to the first contender.
 *
 * @param {string} size
 * @param {Figure[]} figures
 * @param {string} [of] what the ratios are of
 */
export function printComparison(size, figures, of = 'of the floor') {
  const rows = [];
  const hasDatabase = figures.some(({ databaseCost }) => databaseCost !== undefined);
  for (const cell of cellsOf(figures)) {
    const base = valuesOf(cell.figures, cell.contenders[0] ?? '', 'rate');
    for (const contender of cell.contenders) {
      const values = (/** @type {Measure} */ of) => valuesOf(cell.figures, contender, of);
      rows.push([
        ...[cell.operation, String(cell.connections), contender, spread(values('rate'))],
        ...[spread(ratios(values('rate'), base), 2), spread(values('cost'))],
        ...(hasDatabase ? [spread(values('databaseCost'))] : []),
        ...[spread(values('p50'), 2), spread(values('p99'), 2)],
      ]);
    }
  }
  console.log(`\n${size} tokens: median (least-most)\n`);
  const head = ['operation', 'connections', '', 'requests/s', of, 'processor us'];
  if (hasDatabase) head.push("PostgreSQL's us");
  console.log(table([...head, 'p50 ms', 'p99 ms'], rows));
}

/** The figures grouped by operation and connections, in their order. @param {Figure[]} figures */
export function cellsOf(figures) {
  /** @type {Map<string, Figure[]>} */
  const cells = new Map();
  for (const figure of figures) {
    const key = `${figure.operation} ${figure.connections}`;
    cells.set(key, [...(cells.get(key) ?? []), figure]);
  }
  return [...cells.values()].map((some) => ({
    operation: some[0]?.operation ?? '',
    connections: some[0]?.connections ?? 0,
    contenders: [...new Set(some.map(({ contender }) => contender))],
    figures: some,
  }));
}

/** A contender's values, in the order of the rounds. @param {Figure[]} figures @param {string} contender @param {Measure} of */
export function valuesOf(figures, contender, of) {
  return figures
    .filter((figure) => figure.contender === contender)
    .toSorted((a, b) => a.round - b.round)
    .map((figure) => figure[of] ?? Number.NaN);
}
