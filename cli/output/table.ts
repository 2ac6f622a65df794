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
  const cells = rows.map((row) => columns.map((column) => visible(column.text(row))));
  if (!look.forPeople) return cells.map((line) => line.join('\t')).join('\n');

  const widths = widthsOf(columns, cells, look.width);
  const line = (texts: readonly string[], paint: (text: string, column: number) => string) =>
    texts
      .map((text, column) => {
        const width = widths[column] ?? 0;
        const shown = fitted(text, width);
        const padding = column === texts.length - 1 ? '' : ' '.repeat(width - widthOf(shown) + GAP);
        return paint(shown, column) + padding;
      })
      .join('');
  const titles = columns.map(({ title }) => title);
  return [
    line(titles, (text) => look.paint('bold', text)),
    ...rows.map((row, index) =>
      line(cells[index] ?? [], (text, column) => {
        const style = columns[column]?.style?.(row);
        return style === undefined ? text : look.paint(style, text);
      }),
    ),
  ].join('\n');
}

/** What each column needs, less what the widest of those that shrink have to give. */
function widthsOf<Row>(columns: readonly Column<Row>[], cells: readonly string[][], width: number): number[] {
  const widths = columns.map(({ title }, column) =>
    Math.max(widthOf(title), ...cells.map((line) => widthOf(line[column] ?? ''))),
  );
  const shrinking = [...columns.keys()].filter((column) => columns[column]?.shrinks === true);
  const total = () => widths.reduce((sum, one) => sum + one, GAP * (columns.length - 1));
  for (let excess = total() - width; excess > 0; excess = total() - width) {
    const widest = shrinking.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), shrinking[0] ?? -1);
    const before = widths[widest] ?? 0;
    if (before <= NARROWEST) break;
    const second = Math.max(NARROWEST, ...shrinking.filter((one) => one !== widest).map((one) => widths[one] ?? 0));
    widths[widest] = Math.max(before - excess, Math.min(second, before - 1), NARROWEST);
  }
  return widths;
}

/** One thing, a line for each of its members. */
export function fields(members: readonly (readonly [label: string, text: string])[], look: Look): string {
  const shown = members.map(([label, text]) => [label, visible(text)] as const);
  if (!look.forPeople) return shown.map(([label, text]) => `${label}\t${text}`).join('\n');
  const width = Math.max(...shown.map(([label]) => label.length)) + GAP;
  return shown.map(([label, text]) => `${look.paint('bold', label.padEnd(width))}${text}`).join('\n');
}
