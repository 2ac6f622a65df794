import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** How standard output is written. */
export interface Look {
  /** Whether people read it: aligned columns and relative times. Else it is lines of tabs, for programs. */
  forPeople: boolean;
  /** Columns of the terminal; infinite where nobody knows. */
  width: number;
  paint(style: Style, text: string): string;
}

/** Colours are for terminals, unless `--no-color`, NO_COLOR, FORCE_COLOR or TERM=dumb have it otherwise. */
export function lookOf({ color = true }: { color?: boolean }): Look {
  const { env, stdout } = process;
  const forced = isSet(env['FORCE_COLOR']) && env['FORCE_COLOR'] !== '0';
  const unwanted = isSet(env['NO_COLOR']) || env['FORCE_COLOR'] === '0' || env['TERM'] === 'dumb';
  // Who forces colours has somebody who looks at them.
  const forPeople = stdout.isTTY || forced;
  const coloured = color && (forced || (stdout.isTTY && !unwanted));
  return {
    forPeople,
    width: columnsOf(env['COLUMNS']) ?? (stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY),
    paint: coloured ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text,
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function columnsOf(value: string | undefined): number | undefined {
  return /^[1-9]\d{0,3}$/.test(value ?? '') ? Number(value) : undefined;
}
