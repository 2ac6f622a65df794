import { type Json, memberOf, membersOf, sameJson } from '../document/json.js';
import { thingIn } from '../document/links.js';
import { isPasswordName, isVolatileName, sameName } from '../document/names.js';
import { dateNow } from '../timers.js';

const DAY = 86_400_000;
const UNITS: [RegExp, number][] = [
  [/days?$/i, DAY],
  [/hours?$/i, DAY / 24],
  [/minutes?$|mins?$/i, 60_000],
  [/seconds?$|secs?$|ttl$/i, 1_000],
];
/** Milliseconds by which an instant may differ: clocks differ, and some servers round to whole minutes. */
const SLACK = 120_000;

/** The members of an answer whose values differ from those that were sent, with the expected values. */
export function altered(sent: Json | undefined, answer: Json | undefined): { name: string; expected: string }[] {
  const thing = thingIn(answer);
  return membersOf(sent).flatMap(([name, value]) => {
    if (isPasswordName(name) || isVolatileName(name) || value === null) return [];
    const told = memberOf(thing, name) ?? membersOf(thing).find(([other]) => sameName(other, name))?.[1];
    if (told === undefined) return durationsIn(name, value, thing);
    return isSame(told, value) ? [] : [{ name, expected: `${name}: ${JSON.stringify(value)}` }];
  });
}

/** Checks a duration that was sent: `expiresInDays: 30` must give an `expiresAt` thirty days from now. */
function durationsIn(name: string, value: Json, thing: Json | undefined): { name: string; expected: string }[] {
  const unit = UNITS.find(([pattern]) => pattern.test(name))?.[1];
  const [, stem] = /^(.+?)_?in_?(?:days?|hours?|minutes?|mins?|seconds?|secs?)$/i.exec(name) ?? [];
  if (unit === undefined || stem === undefined || typeof value !== 'number') return [];
  const [instant, told] =
    membersOf(thing).find(([other]) => sameName(other.replace(/_?(at|on|time|date)$/i, ''), stem)) ?? [];
  if (instant === undefined || typeof told !== 'string') return [];
  const end = dateNow() + value * unit;
  if (Math.abs(Date.parse(told) - end) < SLACK) return [];
  return [
    { name: instant, expected: `${instant} about ${new Date(end).toISOString()}, as ${name} is ${String(value)}` },
  ];
}

/** Whether two values mean the same, although the order of a list, a time zone or letter case may differ. */
export function isSame(a: Json, b: Json): boolean {
  return sameJson(a, b) || isSameSet(a, b) || isSameInstant(a, b) || isSameAddress(a, b) || isSameObject(a, b);
}

/** A server may store a list of distinct items, such as scopes, in another order. */
function isSameSet(a: Json, b: Json): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return false;
  const texts = (list: Json[]) => list.map((item) => JSON.stringify(item)).sort();
  return new Set(texts(b)).size === b.length && sameJson(texts(a), texts(b));
}

/** A server may round an instant to seconds, and return it in another time zone. */
function isSameInstant(a: Json, b: Json): boolean {
  const instantOf = (value: Json) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  return Math.abs(instantOf(a) - instantOf(b)) < 1_000;
}

function isSameAddress(a: Json, b: Json): boolean {
  return typeof a === 'string' && typeof b === 'string' && a.includes('@') && a.toLowerCase() === b.toLowerCase();
}

/** A server may add members to an object that was sent. */
function isSameObject(a: Json, b: Json): boolean {
  if (typeof a !== 'object' || a === null || Array.isArray(a)) return false;
  const wanted = membersOf(b);
  return wanted.length > 0 && wanted.every(([name, member]) => sameJson(memberOf(a, name), member));
}
