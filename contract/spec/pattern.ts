/**
 * A pattern as JSON Schema means it, with Unicode; one that is an error there, such as `[\-a]`, as older JavaScript reads
 * it; and one that is none at all as a pattern that everything fits.
 */
export function toRegExp(pattern: string): RegExp {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // The next reading may do.
    }
  }
  return /(?:)/;
}
