import { type Command, InvalidArgumentError, Option } from 'commander';

/** Matches a token of any brand, but not a token's prefix, which is shorter. */
const TOKEN = /(^|[^0-9A-Za-z])[a-z][a-z0-9]*_(pat|ses|ref)_[0-9A-Za-z]{20,}/;

/** Adds the flags of every command that calls a service. */
export function addRemoteFlags(command: Command): Command {
  const heading = 'Common options:';
  for (const option of [
    new Option('--profile <name>', 'the login to use (LATCHKEY_PROFILE, default)'),
    new Option('--insecure-http', 'allow plain http to another machine; others on the network can then read the token'),
    new Option('--json', 'print JSON, for programs'),
    new Option('--no-color', 'print without colours (NO_COLOR)'),
  ]) {
    command.addOption(option.helpGroup(heading));
  }
  return command;
}

/** Parser of an option that may be repeated. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Days, or `never`, because Commander takes null for a missing value. */
export type Lifetime = number | 'never';

const DAY = 86_400_000;

/** Parses a lifetime such as `90d` or `2w`, or a date in UTC, to days; or returns `never`. */
export function lifetime(text: string): Lifetime {
  if (text === 'never') return text;
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return daysUntil(text);
  const [, count, unit = 'd'] = /^(\d{1,5})(d|w)?$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) {
    throw new InvalidArgumentError(
      'It must be days such as 90d, weeks such as 2w, a date such as 2027-12-31, or never.',
    );
  }
  return Number(count) * { d: 1, w: 7 }[unit as 'd' | 'w'];
}

function daysUntil(date: string): number {
  const days = Math.floor(Date.parse(instant(date)) / DAY) - Math.floor(Date.now() / DAY);
  if (days < 1) throw new InvalidArgumentError('It must be a date after today, in UTC.');
  return days;
}

/** Parses a duration such as `24h` to seconds. */
export function seconds(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,6})(s|m|h|d)?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It must be a duration such as 90s, 30m, 24h or 7d.');
  return Number(count) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
}

/** Parses an instant, a date in UTC (its first moment), or a time relative to now such as `-30d` or `+12h`, to RFC 3339. */
export function instant(text: string): string {
  const [, sign, count, unit] = /^([+-])(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (count !== undefined) {
    const span = Number(count) * { h: 1, d: 24, w: 168 }[unit as 'h' | 'd' | 'w'] * 3_600_000;
    return new Date(Date.now() + (sign === '-' ? -span : span)).toISOString();
  }
  if (/^\d{4}-\d\d-\d\dT.+(Z|[+-]\d\d:\d\d)$/i.test(text)) return text;
  const day = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? text : Number.NaN);
  // `Date` turns a day that does not exist, such as 30 February, into another day.
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text)) {
    throw new InvalidArgumentError('It must be an instant such as 2026-12-31, 2026-12-31T12:00:00Z, -30d or +7d.');
  }
  return day.toISOString();
}

export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be an integer of 1 or more.');
  return Number(text);
}

/** Parser of repeated `name=value` options. If a name is repeated, the last value counts. */
export function addPair(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('It must be name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Whether a word of the command line contains a token, which other users and the shell's history can then read. */
export function hasToken(words: readonly string[]): boolean {
  return words.some((word) => TOKEN.test(word));
}
