import type { Look } from './look.js';
import { fitted, visible, widthOf } from './text.js';

export interface Column<Row> {
  title: string;
  text(row: Row): string;
  style?(row: Row): Parameters<Look['paint']>[0];
  /** Whether the column may become narrower if the terminal is too narrow. */
  shrinks?: boolean;
}

/** Spaces between two columns. */
const GAP = 2;
/** Least width of a column that shrinks. */
const NARROWEST = 8;
/** Separator before a column that is continued on the next line. */
const CONTINUED = '\n  ';

/**
 * Formats a table. People get aligned columns with titles; programs get lines of cells separated by tabs, without titles.
 * With `whole` no cell is cut: columns that do not fit continue on the next line.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  look: Look,
  { whole = false } = {},
): string {
  if (!look.forPeople) {
    return rows.map((row) => columns.map((column) => visible(column.text(row))).join('\t')).join('\n');
  }
  const full = columns.map((column): Filled<Row> => {
    const cells = rows.map((row) => visible(column.text(row)));
    return { ...column, cells, width: Math.max(...[column.title, ...cells].map(widthOf)) };
  });
  const filled = whole ? full : fitting(full, look.width);
  const starts = whole ? lineStarts(full, look.width) : new Set<number>();
  const padded = (text: string, painted: string, column: number) => {
    const isLast = column === filled.length - 1 || starts.has(column + 1);
    return (
      (starts.has(column) ? CONTINUED : '') +
      painted +
      (isLast ? '' : ' '.repeat((filled[column]?.width ?? 0) - widthOf(text) + GAP))
    );
  };
  const titles = filled.map(({ title }, column) => padded(title, look.paint('bold', title), column));
  const lines = rows.map((row, index) =>
    filled.map(({ cells, width, style }, column) => {
      const text = fitted(cells[index] ?? '', width);
      return padded(text, style === undefined ? text : look.paint(style(row), text), column);
    }),
  );
  return [titles, ...lines].map((cells) => cells.join('')).join('\n');
}

/** Columns that begin on a new line, so that the terminal does not break a cell that would fit. */
function lineStarts<Row>(columns: readonly Filled<Row>[], width: number): ReadonlySet<number> {
  const starts = new Set<number>();
  let taken = 0;
  for (const [index, column] of columns.entries()) {
    if (index > 0 && taken + column.width > width) {
      starts.add(index);
      taken = CONTINUED.length - 1;
    }
    taken += column.width + GAP;
  }
  return starts;
}

interface Filled<Row> extends Column<Row> {
  cells: string[];
  width: number;
}

/** Fits columns into a width: first narrows those that shrink, the widest first, then leaves out the last ones. */
function fitting<Row>(columns: Filled<Row>[], width: number): Filled<Row>[] {
  const total = columns.reduce((sum, column) => sum + column.width, GAP * (columns.length - 1));
  if (total <= width) return columns;
  const [widest, second] = columns
    .filter((column) => column.shrinks === true && column.width > NARROWEST)
    .sort((a, b) => b.width - a.width);
  if (widest !== undefined) {
    const next = Math.max(NARROWEST, Math.min(second?.width ?? NARROWEST, widest.width - 1));
    const narrower = { ...widest, width: Math.max(next, widest.width - (total - width)) };
    return fitting(
      columns.map((column) => (column === widest ? narrower : column)),
      width,
    );
  }
  return columns.length > 1 ? fitting(columns.slice(0, -1), width) : columns;
}

/** Formats one object, with a line for each member. */
export function fields(members: readonly (readonly [label: string, text: string])[], look: Look): string {
  const shown = members.map(([label, text]) => [visible(label), visible(text)] as const);
  if (!look.forPeople) return shown.map(([label, text]) => `${label}\t${text}`).join('\n');
  const width = Math.max(...shown.map(([label]) => widthOf(label))) + GAP;
  const padded = (label: string) => label + ' '.repeat(width - widthOf(label));
  return shown.map(([label, text]) => `${look.paint('bold', padded(label))}${text}`).join('\n');
}
