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
/** Milliseconds that a duration may come out longer or shorter: clocks differ, and some servers count whole minutes. */
const SLACK = 120_000;

/** The members that were sent and that an answer tells otherwise, with what it was to tell. */
export function altered(sent: Json | undefined, answer: Json | undefined): { name: string; expected: string }[] {
  const thing = thingIn(answer);
  return membersOf(sent).flatMap(([name, value]) => {
    if (isPasswordName(name) || isVolatileName(name) || value === null) return [];
    const told = memberOf(thing, name) ?? membersOf(thing).find(([other]) => sameName(other, name))?.[1];
    if (told === undefined) return durationsIn(name, value, thing);
    return isSame(told, value) ? [] : [{ name, expected: `${name}: ${JSON.stringify(value)}` }];
  });
}

/** `expiresInDays: 30` is an `expiresAt` thirty days from now. */
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

/** Whether two values say one thing: in another order, in another zone, or an address in another letter case. */
export function isSame(a: Json, b: Json): boolean {
  return sameJson(a, b) || isSameSet(a, b) || isSameInstant(a, b) || isSameAddress(a, b) || isSameObject(a, b);
}

/** A list of different items may be kept in another order than it was sent in, as of scopes. */
function isSameSet(a: Json, b: Json): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return false;
  const texts = (list: Json[]) => list.map((item) => JSON.stringify(item)).sort();
  return new Set(texts(b)).size === b.length && sameJson(texts(a), texts(b));
}

/** An instant may be kept to the second, and may come back in another zone. */
function isSameInstant(a: Json, b: Json): boolean {
  const instantOf = (value: Json) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  return Math.abs(instantOf(a) - instantOf(b)) < 1_000;
}

function isSameAddress(a: Json, b: Json): boolean {
  return typeof a === 'string' && typeof b === 'string' && a.includes('@') && a.toLowerCase() === b.toLowerCase();
}

/** What a server adds to an object of its own accord is no fault of what was sent. */
function isSameObject(a: Json, b: Json): boolean {
  if (typeof a !== 'object' || a === null || Array.isArray(a)) return false;
  const wanted = membersOf(b);
  return wanted.length > 0 && wanted.every(([name, member]) => sameJson(memberOf(a, name), member));
}
