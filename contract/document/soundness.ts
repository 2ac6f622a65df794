import { atPointer, isObject, type Json, type JsonObject, textOf } from './json.js';
import { APPLICATORS, type SchemaForm } from './keywords.js';
import { documentPlace, eachPart, type Place, partsOf } from './shape.js';

/** A schema that is invalid, so that no value can be validated against it. */
export interface BrokenPlace {
  /** As a URI fragment, `#/...`. */
  pointer: string;
  why: string;
}

const isCount = (value: Json) => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isNumber = (value: Json) => typeof value === 'number';
const isText = (value: Json) => typeof value === 'string';
const isTexts = (value: Json) => Array.isArray(value) && value.every(isText);
const isSchema = (value: Json) => isObject(value) || typeof value === 'boolean';
const isSchemas = (value: Json) => Array.isArray(value) && value.length > 0 && value.every(isSchema);
const isSchemaMap = (value: Json) => isObject(value) && Object.values(value).every(isSchema);
const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer']);
const isType = (value: Json) => typeof value === 'string' && TYPES.has(value);

type Rule = readonly [(value: Json) => boolean, string];
const COUNT: Rule = [isCount, 'must be an integer from 0'];
const NUMBER: Rule = [isNumber, 'must be a number'];
const SCHEMA_RULES: Readonly<Record<SchemaForm, Rule>> = {
  one: [isSchema, 'must be a schema'],
  list: [isSchemas, 'must be a list of schemas'],
  map: [isSchemaMap, 'must be an object of schemas'],
};

/** The type that the value of each keyword must have, and how to say so. */
const RULES: Readonly<Record<string, Rule>> = {
  type: [
    (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
    'must be a JSON type or a list of them',
  ],
  enum: [(value) => Array.isArray(value) && value.length > 0, 'must be a list of values'],
  multipleOf: [(value) => typeof value === 'number' && value > 0, 'must be a number above 0'],
  maximum: NUMBER,
  minimum: NUMBER,
  exclusiveMaximum: NUMBER,
  exclusiveMinimum: NUMBER,
  maxLength: COUNT,
  minLength: COUNT,
  maxItems: COUNT,
  minItems: COUNT,
  maxContains: COUNT,
  minContains: COUNT,
  maxProperties: COUNT,
  minProperties: COUNT,
  pattern: [isText, 'must be a text'],
  format: [isText, 'must be a text'],
  uniqueItems: [(value) => typeof value === 'boolean', 'must be true or false'],
  required: [isTexts, 'must be a list of names'],
  dependentRequired: [(value) => isObject(value) && Object.values(value).every(isTexts), 'must be lists of names'],
  ...Object.fromEntries(Object.entries(APPLICATORS).map(([name, form]) => [name, SCHEMA_RULES[form]])),
};

/** The keywords whose schemas apply to the same value as the schema that contains them. */
const IN_PLACE = /\/(allOf|anyOf|oneOf|dependentSchemas)\/[^/]+$|\/(not|if|then|else)$/;

/** Every schema of a skeleton that cannot be compiled, with the reason. */
export function brokenPlaces(skeleton: JsonObject): BrokenPlace[] {
  const broken: BrokenPlace[] = [];
  const places = new Map<JsonObject, Place>();
  eachPart(documentPlace(skeleton), (place) => {
    const { node, pointer, kind } = place;
    if (kind !== 'schema') return;
    places.set(node, place);
    for (const [name, value] of Object.entries(node)) {
      const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
      if (rule && !rule[0](value))
        broken.push({ pointer, why: `${name} ${rule[1]}, not ${textOf(value).slice(0, 60)}` });
    }
    const reference = node['$ref'];
    if (reference !== undefined && (typeof reference !== 'string' || atPointer(skeleton, reference) === undefined))
      broken.push({ pointer, why: `it refers to ${textOf(reference)}, which is not in the document` });
  });
  const state = new Map<JsonObject, 'open' | 'done'>();
  const visit = (place: Place) => {
    if (state.get(place.node) === 'done') return;
    if (state.get(place.node) === 'open') {
      broken.push({ pointer: place.pointer, why: 'it refers to itself without end' });
      return;
    }
    state.set(place.node, 'open');
    for (const next of inPlaceOf(skeleton, place, places)) visit(next);
    state.set(place.node, 'done');
  };
  for (const place of places.values()) visit(place);
  return broken;
}

function inPlaceOf(skeleton: JsonObject, place: Place, places: Map<JsonObject, Place>): Place[] {
  const { node, pointer } = place;
  const parts = partsOf(place).filter((part) => IN_PLACE.test(part.pointer.slice(pointer.length)));
  const target = typeof node['$ref'] === 'string' ? atPointer(skeleton, node['$ref']) : undefined;
  const referred = isObject(target) ? places.get(target) : undefined;
  return referred === undefined ? parts : [...parts, referred];
}

/** Creates a function that finds the broken schemas that the schema at `pointer` needs, directly or by reference. */
export function createNeeds(skeleton: JsonObject, broken: BrokenPlace[]): (pointer: string) => BrokenPlace[] {
  const byNode = new Map<JsonObject, BrokenPlace[]>();
  for (const place of broken) {
    const node = atPointer(skeleton, place.pointer);
    if (isObject(node)) byNode.set(node, [...(byNode.get(node) ?? []), place]);
  }
  return (pointer) => {
    const start = atPointer(skeleton, pointer);
    if (byNode.size === 0 || !isObject(start)) return [];
    const found: BrokenPlace[] = [];
    const seen = new Set<JsonObject>();
    const waiting: Place[] = [{ node: start, pointer, kind: 'schema' }];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const { node } = place;
      if (seen.has(node)) continue;
      seen.add(node);
      found.push(...(byNode.get(node) ?? []));
      const target = typeof node['$ref'] === 'string' ? atPointer(skeleton, node['$ref']) : undefined;
      waiting.push(...partsOf(place));
      if (isObject(target)) waiting.push({ node: target, pointer: textOf(node['$ref']), kind: 'schema' });
    }
    return found;
  };
}
