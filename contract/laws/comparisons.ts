import { type Json, type JsonObject, memberOf, sameJson, textOf } from '../document/json.js';
import { instantOf } from './instants.js';
import type { FilterLaw } from './types.js';

/** A member by its path, with dots between nested names; null if it is absent. */
export function at(row: JsonObject, path: string): Json {
  return memberAt(row, path) ?? null;
}

/** A member by its path, with dots between nested names; undefined if it is absent. */
export function memberAt(row: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>(memberOf, row);
}

/** Orders numbers and instants by value, and texts by their code points. The result is below 0 if `a` comes first. */
export function compared(a: Json, b: Json): number {
  const [one, two] = [orderOf(a), orderOf(b)];
  if (typeof one === 'number' && typeof two === 'number') return one - two;
  // UTF-8 has the order of the code points, unlike the UTF-16 units that JavaScript compares.
  return Buffer.compare(Buffer.from(String(one)), Buffer.from(String(two)));
}

function orderOf(value: Json): number | string {
  if (typeof value === 'number') return value;
  const text = textOf(value);
  const instant = /^\d{4}-\d\d-\d\d(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(instant) ? text : instant;
}

/** Whether a filter by `asked` keeps the row, by its law. A null or absent member has no text and no order. */
export function matches({ member, compare, to, keepsNull = false }: FilterLaw, row: JsonObject, asked: Json): boolean {
  const value = (typeof to === 'string' ? instantOf(to) : undefined) ?? to ?? asked;
  return [member].flat().some((name) => {
    const own = at(row, name);
    switch (compare) {
      case 'equals':
        return sameJson(own, value);
      case 'contains':
        return textsIn(own).some((text) => text.toLowerCase().includes(textOf(value).toLowerCase()));
      case 'includes':
        return Array.isArray(own) && own.some((item) => sameJson(item, value));
      case 'isNull':
        return (own === null) === value;
      default:
        if (own === null) return keepsNull;
        return compare === 'after' ? compared(own, value) > 0 : compared(own, value) < 0;
    }
  });
}

/** The texts that a search for a part finds: a text or number itself, and those in a list. */
function textsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

/** Values of the parameter that match some of the existing rows and not others. */
export function valuesFor({ member, compare }: FilterLaw, rows: JsonObject[]): Json[] {
  const names = [member].flat();
  const present = names.flatMap((name) => rows.map((row) => at(row, name))).filter((each) => each !== null);
  switch (compare) {
    case 'isNull':
      return [true, false];
    case 'equals':
      return distinct(present.filter(canBeAsked)).slice(0, 3);
    case 'includes': {
      const inLists = present.flatMap((each) => (Array.isArray(each) ? each : []));
      const items = distinct(inLists.filter(canBeAsked)).slice(0, 2);
      // The beginning of an item is another item.
      const cut = items
        .filter((item) => typeof item === 'string' && item.length > 2)
        .map((item) => textOf(item).slice(0, -1));
      return distinct([...items, ...cut]);
    }
    case 'contains': {
      // For each member a part of a text, also in upper case; and the wildcards of SQL.
      const texts = names.flatMap(
        (name) =>
          rows.flatMap((row) => textsIn(at(row, name))).find((text) => canBeAsked(text) && /[a-z]{3}/i.test(text)) ??
          [],
      );
      const parts = texts.map((text) => middleOf(text));
      const wholes = texts.filter((text) => text.length <= 100);
      return distinct([...parts, ...parts.map((part) => part.toUpperCase()), ...wholes.slice(0, 1), '%', '_']);
    }
    default: {
      const sorted = distinct(present).sort(compared);
      const middle = sorted[Math.floor(sorted.length / 2)];
      return middle === undefined ? [] : [middle, ...inAnotherZone(middle)];
    }
  }
}

/** Whether a value can be that of a parameter. Many servers trim it, and take an empty one for none. */
export function canBeAsked(value: Json): boolean {
  return typeof value === 'string' ? value !== '' && value === value.trim() : value !== null;
}

/** The same instant in another time zone; none for what is no instant. */
function inAnotherZone(value: Json): Json[] {
  const instant = typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? [] : [new Date(instant + ZONE_MS).toISOString().replace('Z', '+05:30')];
}

const ZONE_MS = 5.5 * 3_600_000;

function middleOf(text: string): string {
  return /[a-z]{3,8}/i.exec(text)?.[0].slice(0, 5) ?? text;
}

function distinct(values: Json[]): Json[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
