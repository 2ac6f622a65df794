import { type Command, InvalidArgumentError, Option } from 'commander';

/** What a token looks like, whatever its brand; a prefix is shorter. */
const TOKEN = /(^|[^0-9A-Za-z])[a-z][a-z0-9]*_(pat|ses|ref)_[0-9A-Za-z]{20,}/;

/** The flags of every command that asks a service. */
export function addRemoteFlags(command: Command): Command {
  const heading = 'Common options:';
  for (const option of [
    new Option('--profile <name>', 'the login to use (LATCHKEY_PROFILE, default)'),
    new Option('--insecure-http', 'allow plain http to another machine: everyone on the way reads the token'),
    new Option('--json', 'print the JSON of the service, for programs'),
    new Option('--no-color', 'print without colours (NO_COLOR)'),
  ]) {
    command.addOption(option.helpGroup(heading));
  }
  return command;
}

/** For an option that may be repeated. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Commander takes null for no value, so the end that never comes has a word. */
export type Lifetime = number | 'never';

const DAY = 86_400_000;

/** Days of a lifetime such as `90d`, or until some time of a date in UTC; or `never`. */
export function lifetime(text: string): Lifetime {
  if (text === 'never') return text;
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return daysUntil(text);
  const [, count, unit = 'd'] = /^(\d{1,5})(d|w)?$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0) {
    throw new InvalidArgumentError('It is days such as 90d, weeks such as 2w, a date such as 2027-12-31, or never.');
  }
  return Number(count) * { d: 1, w: 7 }[unit as 'd' | 'w'];
}

function daysUntil(date: string): number {
  const days = Math.floor(Date.parse(instant(date)) / DAY) - Math.floor(Date.now() / DAY);
  if (days < 1) throw new InvalidArgumentError('It is a date in UTC from tomorrow on.');
  return days;
}

/** Seconds of a duration such as `24h`. */
export function seconds(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,6})(s|m|h|d)?$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It is a duration such as 90s, 30m, 24h or 7d.');
  return Number(count) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
}

/** RFC 3339 of an instant, of the begin of a day in UTC, or of a span from now such as `-30d` and `+12h`. */
export function instant(text: string): string {
  const [, sign, count, unit] = /^([+-])(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (count !== undefined) {
    const span = Number(count) * { h: 1, d: 24, w: 168 }[unit as 'h' | 'd' | 'w'] * 3_600_000;
    return new Date(Date.now() + (sign === '-' ? -span : span)).toISOString();
  }
  if (/^\d{4}-\d\d-\d\dT.+(Z|[+-]\d\d:\d\d)$/i.test(text)) return text;
  const day = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? text : Number.NaN);
  // A day that there is not, such as 30 February, is another one by now.
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text)) {
    throw new InvalidArgumentError('It is such as 2026-12-31, 2026-12-31T12:00:00Z, -30d or +7d.');
  }
  return day.toISOString();
}

export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is an integer from 1 on.');
  return Number(text);
}

/** `name=value` pairs, the later one of a name. */
export function addPair(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('It is a name, = and a value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Where a token stands on the command line, other users of the machine and the shell's history have it already. */
export function hasToken(words: readonly string[]): boolean {
  return words.some((word) => TOKEN.test(word));
}
