// Instants in the browser's language and zone.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const shortly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Such as `in 3 days` or `2 hours ago`. */
export function relativeOf(instant: string, now: number = Date.now()): string {
  const difference = Date.parse(instant) - now;
  const size = Math.abs(difference);
  if (size < 45_000) return relative.format(0, 'second');
  if (size < HOUR) return relative.format(Math.round(difference / MINUTE), 'minute');
  if (size < DAY) return relative.format(Math.round(difference / HOUR), 'hour');
  if (size < 60 * DAY) return relative.format(Math.round(difference / DAY), 'day');
  if (size < 730 * DAY) return relative.format(Math.round(difference / (30.44 * DAY)), 'month');
  return relative.format(Math.round(difference / (365.25 * DAY)), 'year');
}

/** Such as `26 February 2027`. */
export function dayOf(instant: string | number): string {
  return day.format(new Date(instant));
}

/** Such as `Friday, 26 February 2027 at 10:00:00 CET`. */
export function exactlyOf(instant: string): string {
  return exactly.format(new Date(instant));
}

/** Such as `26 Feb 2027, 10:00`. */
export function shortlyOf(instant: string): string {
  return shortly.format(new Date(instant));
}
