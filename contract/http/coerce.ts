import type { Json, JsonObject } from '../document/json.js';
import { branches, type SchemaOrBoolean, typesOf } from '../document/schema.js';

/** A part of a request that servers may read in different ways. */
export class Unclear extends Error {}

/** The JSON types that any alternative of a schema allows; empty if all types are allowed. */
export function allTypesOf(document: JsonObject, schema: SchemaOrBoolean | undefined): Set<string> {
  return new Set(branches(document, schema).flatMap(typesOf));
}

/**
 * The values that a text can have under a schema, the most specific type first. If it has none, the text itself, which
 * the judge then finds invalid. Throws `Unclear` if servers may read the text differently.
 */
export function meaningsOf(document: JsonObject, schema: SchemaOrBoolean | undefined, text: string): Json[] {
  const types = allTypesOf(document, schema);
  const meanings: Json[] = [];
  const isPerhapsNull = types.has('null') && (text === '' || text === 'null');
  const isNumeric = types.has('integer') || types.has('number');
  const isWhole = /^-?(0|[1-9]\d*)$/.test(text);
  if (isNumeric && (isWhole || (types.has('number') && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text))))
    meanings.push(Number(text));
  if (types.has('boolean') && (text === 'true' || text === 'false')) meanings.push(text === 'true');
  const isText = types.size === 0 || types.has('string');
  if (isText && !(isPerhapsNull && isNarrow(document, schema))) meanings.push(text);
  if (meanings.length > 0) return meanings;
  if (isPerhapsNull) throw new Unclear('a text cannot express null');
  if (isNumeric && /^\s*[+-]?[\d_.,]+([eE][+-]?\d+)?\s*$|^\s*0[xob]/.test(text) && !/^-?\d+\.\d*[1-9]$/.test(text))
    throw new Unclear(`some servers read ${text} as a number, others do not`);
  if (types.has('boolean') && /^(true|false|yes|no|on|off|[01tfyn])$/i.test(text))
    throw new Unclear(`some servers read ${text} as a boolean, others do not`);
  return [text];
}

/** Whether each alternative for texts has a rule that not every text keeps. */
function isNarrow(document: JsonObject, schema: SchemaOrBoolean | undefined): boolean {
  const alternatives = branches(document, schema).filter((branch) => typesOf(branch).includes('string'));
  return alternatives.every(
    ({ format, pattern, minLength = 0, enum: values, const: value }) =>
      format !== undefined || pattern !== undefined || minLength > 0 || values !== undefined || value !== undefined,
  );
}

/** The first of `meaningsOf`, for an item or a member of another value. */
export function meaningOf(document: JsonObject, schema: SchemaOrBoolean | undefined, text: string): Json {
  return meaningsOf(document, schema, text)[0] ?? text;
}
