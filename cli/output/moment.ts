const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Smallest number of seconds for each unit: at least 1.5 units, so that rounding is not far off. */
const UNITS = [
  { from: 2 * 365 * DAY, unit: 'year', seconds: 365 * DAY },
  { from: 100 * DAY, unit: 'month', seconds: (365 / 12) * DAY },
  { from: 1.5 * DAY, unit: 'day', seconds: DAY },
  { from: 1.5 * HOUR, unit: 'hour', seconds: HOUR },
  { from: 1.5 * MINUTE, unit: 'minute', seconds: MINUTE },
  { from: 10, unit: 'second', seconds: 1 },
] as const;

/** Formats an instant as a relative time such as `in 89 days` or `3 hours ago`; null is `never`. */
export function relative(instant: string | null, now = Date.now()): string {
  if (instant === null) return 'never';
  const seconds = (Date.parse(instant) - now) / 1_000;
  const chosen = UNITS.find(({ from }) => Math.abs(seconds) >= from);
  if (chosen === undefined) return 'now';
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'always' });
  return format.format(Math.round(seconds / chosen.seconds), chosen.unit);
}

/** Formats an instant as a relative time, followed by the exact one; null is `never`. */
export function relativeAndExact(instant: string | null): string {
  return instant === null ? 'never' : `${relative(instant)} (${instant})`;
}
