import { isEmail } from '../config/values.js';
import { LAST_INSTANT } from '../instants.js';

// The formats that the contract uses. The package ajv-formats accepts more than the contract does: `urn:uuid:` before a
// UUID, a space in a date-time, and leap seconds.

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-](\d\d):(\d\d))$/i;
/** Characters. A longer text is rejected before the regular expression runs, so that a long input takes little time. */
const LONGEST_DATE_TIME = 64;
/** The first instant that RFC 3339 can express in UTC, in milliseconds since 1970. */
const EARLIEST = Date.parse('0000-01-01T00:00:00.000Z');

/** The formats of input. A function returns whether `text` has the format. */
export const formats: Record<string, (text: string) => boolean> = {
  uuid: (text) => text.length === 36 && UUID.test(text),
  'date-time': (text) => parseDateTime(text) !== undefined,
  email: isEmail,
  uri: (text) => URL.canParse(text),
  password: () => true,
};

const OWN_DATE_TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/**
 * The formats of our own answers. Answers have date-times in only one form, so a simple regular expression is enough.
 */
export const answerFormats: typeof formats = { ...formats, 'date-time': (text) => OWN_DATE_TIME.test(text) };

/**
 * Parses an RFC 3339 date-time with a time zone to milliseconds since 1970, truncated to the millisecond. Returns
 * undefined for any other text, for days that do not exist, for leap seconds, and for instants outside the years 0000
 * to 9999 in UTC.
 */
export function parseDateTime(text: string): number | undefined {
  if (text.length > LONGEST_DATE_TIME) return undefined;
  const parts = DATE_TIME.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = '', zoneHour = '00', zoneMinute = '00'] =
    parts;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;

  const date = `${year ?? ''}-${month ?? ''}-${day ?? ''}`;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return undefined;
  const time = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000;
  const milliseconds = Number(fraction.slice(1, 4).padEnd(3, '0'));
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (zone.startsWith('-') ? -1 : 1);
  const instant = midnight + time + milliseconds - offset;
  return instant >= EARLIEST && instant <= LAST_INSTANT ? instant : undefined;
}
