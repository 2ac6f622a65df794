import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Style of standard output. */
export interface Look {
  /** Whether people read the output: aligned columns and relative times. Programs get lines separated by tabs. */
  forPeople: boolean;
  /** Columns of the terminal; infinite if unknown. */
  width: number;
  paint(style: Style, text: string): string;
}

/** Chooses the style. Only terminals get colours, unless `--no-color`, NO_COLOR, FORCE_COLOR or TERM=dumb change that. */
export function lookOf({ color = true }: { color?: boolean }): Look {
  const { env, stdout } = process;
  const forced = isSet(env['FORCE_COLOR']) && env['FORCE_COLOR'] !== '0';
  const unwanted = isSet(env['NO_COLOR']) || env['FORCE_COLOR'] === '0' || env['TERM'] === 'dumb';
  // Forced colours mean that a person reads the output.
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
