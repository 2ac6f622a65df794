import { styleText } from 'node:util';
import { nameOf, type Place, type ScanReport } from './types.js';

/** Most places and warnings in the output for people; `--json` has all. */
const MAX_ROWS = 1_000;
const MAX_WARNINGS = 20;

/** Formats the report for a terminal: a row for each place, and a summary in the last line. */
export function toSummary(report: ScanReport, { colours = false } = {}): string {
  const rows = report.tokens.flatMap(({ kind, masked, fingerprint, state, places }) =>
    places.map((place) => [positionOf(place), kind, masked, fingerprint, state ?? '-', commitOf(place)]),
  );
  const more = rows.length - MAX_ROWS;
  return [
    ...(rows.length === 0 ? [] : [...table(rows.slice(0, MAX_ROWS), colours), '']),
    ...(more <= 0 ? [] : [`and ${count(more, 'more place')}, which --json lists`]),
    verdict(report),
  ].join('\n');
}

/** Formats the warnings, one in each line. */
export function toWarnings({ warnings }: ScanReport): string[] {
  const lines = warnings
    .slice(0, MAX_WARNINGS)
    .map(({ place, message }) => `${printable(place)}: ${printable(message)}`);
  const more = warnings.length - lines.length;
  return more === 0 ? lines : [...lines, `and ${String(more)} more, which --json lists`];
}

function verdict({ tokens, allowed, unlistedPlaces, files, objects, bytes, durationMs, complete }: ScanReport): string {
  const places = tokens.reduce((sum, token) => sum + token.places.length, unlistedPlaces);
  const found = tokens.length === 0 ? 'no tokens' : `${count(tokens.length, 'token')} in ${count(places, 'place')}`;
  const known = allowed === 0 ? '' : `, ${String(allowed)} more allowed`;
  const history = objects === 0 ? '' : ` and ${count(objects, 'git object')}`;
  const time = `${(durationMs / 1_000).toFixed(1)} s`;
  const size = `${count(files, 'file')}${history}, ${sizeOf(bytes)} in ${time}${speedOf(bytes, durationMs)}`;
  return `${found}${known} (${size})${complete ? '' : '; not everything could be read'}`;
}

function table(rows: string[][], colours: boolean): string[] {
  const all = [['PLACE', 'KIND', 'TOKEN', 'FINGERPRINT', 'STATE', 'COMMIT'], ...rows];
  // Empty columns are left out.
  const filled = all[0]?.map((_, column) => rows.some((row) => row[column] !== '-')) ?? [];
  const shown = all.map((row) => row.filter((_, column) => filled[column]));
  const widths = shown[0]?.map((_, column) =>
    shown.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return shown.map((row, index) => {
    const cells = row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0));
    if (colours && index === 0) return styleText('dim', cells.join('  ').trimEnd());
    if (colours) cells[2] = styleText('red', cells[2] ?? '');
    return cells.join('  ').trimEnd();
  });
}

function positionOf(place: Place): string {
  return `${printable(nameOf(place))}:${String(place.line)}:${String(place.column)}`;
}

function commitOf({ history }: Place): string {
  if (history === undefined) return '-';
  const { commit, versions } = history;
  const id = commit?.slice(0, 12) ?? 'none reaches it';
  return versions === 1 ? id : `${id}, in ${String(versions)} versions`;
}

/** Replaces control characters, which a terminal would execute. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${String(Math.ceil(bytes / 1e3))} kB` : `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
}

/** The speed, unless the scan was so short that mostly its start was measured. */
function speedOf(bytes: number, durationMs: number): string {
  return durationMs < 200 ? '' : `, ${Math.round(bytes / 1e3 / durationMs).toLocaleString('en')} MB/s`;
}
