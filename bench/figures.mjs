// @ts-check

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** @param {Float64Array} sorted @param {number} share */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The slope of y over x by least squares. @param {number[]} xs @param {number[]} ys */
export function slope(xs, ys) {
  const [meanX, meanY] = [xs, ys].map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const [x0 = 0, y0 = 0] = [meanX, meanY];
  const [top, bottom] = [
    xs.reduce((sum, x, index) => sum + (x - x0) * ((ys[index] ?? 0) - y0), 0),
    xs.reduce((sum, x) => sum + (x - x0) ** 2, 0),
  ];
  return top / bottom;
}

/**
 * The ratios of values that were measured in turns, pair by pair: whatever slows the machine slows both of a pair.
 *
 * @param {number[]} values
 * @param {number[]} base
 */
export function ratios(values, base) {
  return values.map((value, index) => value / (base[index] ?? Number.NaN));
}

/** The median, with the least and the greatest value in brackets. @param {number[]} values @param {number} [digits] */
export function spread(values, digits = 0) {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  return `${middle} (${least}-${most})`;
}

/** @param {string[]} head @param {string[][]} rows */
export function table(head, rows) {
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
