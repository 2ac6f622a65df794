import type { Look } from './look.js';
import { fitted, visible, widthOf } from './text.js';

export interface Column<Row> {
  title: string;
  text(row: Row): string;
  style?(row: Row): Parameters<Look['paint']>[0];
  /** Gives way where the terminal is too narrow. */
  shrinks?: boolean;
}

/** Columns between two others. */
const GAP = 2;
const NARROWEST = 8;

/** Aligned columns under their titles for people; for programs lines of tabs, which no cell contains, without titles. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: Look): string {
  if (!look.forPeople) {
    return rows.map((row) => columns.map((column) => visible(column.text(row))).join('\t')).join('\n');
  }
  const filled = fitting(
    columns.map((column): Filled<Row> => {
      const cells = rows.map((row) => visible(column.text(row)));
      return { ...column, cells, width: Math.max(...[column.title, ...cells].map(widthOf)) };
    }),
    look.width,
  );
  const padded = (text: string, painted: string, column: number) => {
    const isLast = column === filled.length - 1;
    return painted + (isLast ? '' : ' '.repeat((filled[column]?.width ?? 0) - widthOf(text) + GAP));
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

interface Filled<Row> extends Column<Row> {
  cells: string[];
  width: number;
}

/** Makes the columns that shrink narrower, the widest of them first, and leaves out the last ones where that is not enough. */
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

/** One thing, a line for each of its members. */
export function fields(members: readonly (readonly [label: string, text: string])[], look: Look): string {
  const shown = members.map(([label, text]) => [label, visible(text)] as const);
  if (!look.forPeople) return shown.map(([label, text]) => `${label}\t${text}`).join('\n');
  const width = Math.max(...shown.map(([label]) => label.length)) + GAP;
  return shown.map(([label, text]) => `${look.paint('bold', label.padEnd(width))}${text}`).join('\n');
}
