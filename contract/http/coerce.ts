import type { Json, JsonObject } from '../document/json.js';
import { branches, type SchemaOrBoolean, typesOf } from '../document/schema.js';

/** What a request says in a way that one reader takes for one thing, and another for another. */
export class Unclear extends Error {}

/** The types that a schema allows in any of its alternatives; none where it allows all. */
export function allTypesOf(document: JsonObject, schema: SchemaOrBoolean | undefined): Set<string> {
  return new Set(branches(document, schema).flatMap(typesOf));
}

/**
 * What a text may mean under a schema, the most special first; the text itself for the judge to refuse where it means
 * nothing. Throws `Unclear` where readers differ.
 */
export function meaningsOf(document: JsonObject, schema: SchemaOrBoolean | undefined, text: string): Json[] {
  const types = allTypesOf(document, schema);
  const meanings: Json[] = [];
  const isNumeric = types.has('integer') || types.has('number');
  const isWhole = /^-?(0|[1-9]\d*)$/.test(text);
  if (isNumeric && (isWhole || (types.has('number') && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text))))
    meanings.push(Number(text));
  if (types.has('boolean') && (text === 'true' || text === 'false')) meanings.push(text === 'true');
  if (types.size === 0 || types.has('string')) meanings.push(text);
  if (meanings.length > 0) return meanings;
  if (types.has('null') && (text === '' || text === 'null')) throw new Unclear('null has no form in a parameter');
  if (isNumeric && /^\s*[+-]?[\d_.,]+([eE][+-]?\d+)?\s*$|^\s*0[xob]/.test(text) && !/^-?\d+\.\d*[1-9]$/.test(text))
    throw new Unclear(`whether ${text} is a number is left open`);
  if (types.has('boolean') && /^(true|false|yes|no|on|off|[01tfyn])$/i.test(text))
    throw new Unclear(`whether ${text} is a boolean is left open`);
  return [text];
}

/** One meaning, for what is inside of another value. */
export function meaningOf(document: JsonObject, schema: SchemaOrBoolean | undefined, text: string): Json {
  return meaningsOf(document, schema, text)[0] ?? text;
}
