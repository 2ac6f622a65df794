import { dateNow } from '../timers.js';

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The instant that `now`, `now + 30d` or `now - 5m` means, as RFC 3339; undefined for any other text. */
export function instantOf(text: string): string | undefined {
  const [whole, sign = '+', count = '0', unit = 's'] = /^now(?: ([+-]) (\d{1,6})([smhd]))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const offset = Number(count) * (UNITS[unit] ?? 0);
  return new Date(dateNow() + (sign === '-' ? -offset : offset)).toISOString();
}
