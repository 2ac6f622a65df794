import { atPointer, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';
import { referred } from './references.js';
import { documentPlace, eachPart, fragment } from './shape.js';

const SCHEMAS = '#/components/schemas/';

/** A schema that a discriminator selects. */
interface Variant {
  reference: string;
  /** The values of the discriminator's property that select this schema. */
  values: string[];
}

/**
 * Replaces discriminators by JSON Schema keywords with their meaning: the property is a key of the mapping or a
 * schema's name, and the value fits the named schema. Changes the document.
 */
export function restateDiscriminators(document: JsonObject): void {
  const parents = new Map<string, string>();
  const schemas = memberOf(document['components'], 'schemas');
  const all = isObject(schemas) ? Object.entries(schemas) : [];
  for (const [name, schema] of all) {
    const discriminator = memberOf(schema, 'discriminator');
    if (!isObject(schema) || !isObject(discriminator) || alternativesOf(schema) !== undefined) continue;
    const reference = `${SCHEMAS}${fragment(name)}`;
    const children = all.filter(([, other]) => descends(document, other, schema)).map(([child]) => child);
    const mapped = Object.values(isObject(discriminator['mapping']) ? discriminator['mapping'] : {});
    if (children.length === 0 && mapped.length === 0) continue;
    const own = mapped.length === 0 || mapped.some((target) => toReference(target) === reference) ? [name] : [];
    const references = [
      ...new Set([...own, ...children].map((each) => `${SCHEMAS}${fragment(each)}`).concat(mapped.map(toReference))),
    ];
    parents.set(reference, `${reference}${fragment(' by its discriminator')}`);
    (schemas as JsonObject)[`${name} by its discriminator`] = {
      anyOf: references.map((each) => narrowed(document, discriminator, { $ref: each })),
    };
  }
  eachPart(documentPlace(document), ({ node, kind, pointer }) => {
    if (kind !== 'schema') return;
    const { discriminator } = node;
    const alternatives = alternativesOf(node);
    if (isObject(discriminator) && alternatives !== undefined)
      node[alternatives] = (node[alternatives] as Json[]).map((each) => narrowed(document, discriminator, each));
    const dispatch = typeof node['$ref'] === 'string' ? parents.get(node['$ref']) : undefined;
    // The `allOf` of a child keeps its reference to the parent itself.
    if (dispatch !== undefined && !/\/allOf\/\d+$|%20by%20its%20discriminator\//.test(pointer)) node['$ref'] = dispatch;
  });
}

function alternativesOf(schema: JsonObject): 'oneOf' | 'anyOf' | undefined {
  return (['oneOf', 'anyOf'] as const).find((name) => Array.isArray(schema[name]));
}

function descends(document: JsonObject, schema: Json, parent: JsonObject, depth = 0): boolean {
  const parts = memberOf(schema, 'allOf');
  if (!Array.isArray(parts) || depth > 8) return false;
  return parts.some((part) => {
    const target = referred(document, part);
    return target !== undefined && (target === parent || descends(document, target, parent, depth + 1));
  });
}

/** The target of a mapping as a reference; it may be written as the name of a schema. */
function toReference(target: Json): string {
  const text = textOf(target);
  return text.includes('#') || text.includes('/') ? text : `${SCHEMAS}${fragment(text)}`;
}

/** The alternative, restricted to the property values that select it. */
function narrowed(document: JsonObject, discriminator: JsonObject, alternative: Json): Json {
  const property = discriminator['propertyName'];
  const variant = variantOf(document, discriminator, alternative);
  if (variant === undefined || typeof property !== 'string') return alternative;
  const own = ownValues(document, { $ref: variant.reference }, property, 0);
  const values = own === undefined ? variant.values : variant.values.filter((value) => own.includes(value));
  const restriction: JsonObject = { type: 'object', required: [property] };
  if (values.length > 0) restriction['properties'] = { [property]: { enum: values } };
  return { allOf: [alternative, restriction] };
}

function variantOf(document: JsonObject, { mapping }: JsonObject, alternative: Json): Variant | undefined {
  const reference = memberOf(alternative, '$ref');
  if (typeof reference !== 'string') return undefined;
  const target = atPointer(document, reference);
  const keys = Object.entries(isObject(mapping) ? mapping : {})
    .filter(([, each]) => toReference(each) === reference || atPointer(document, toReference(each)) === target)
    .map(([key]) => key);
  const name = decodeURIComponent(reference.slice(reference.lastIndexOf('/') + 1))
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  return { reference, values: keys.length > 0 ? keys : [name] };
}

/** The `const` or `enum` that a schema itself sets for a property; undefined if there is none. */
function ownValues(document: JsonObject, schema: Json, property: string, depth: number): Json[] | undefined {
  const node = referred(document, schema);
  if (node === undefined || depth > 8) return undefined;
  const own = referred(document, memberOf(node['properties'], property));
  if (own?.['const'] !== undefined) return [own['const']];
  if (Array.isArray(own?.['enum'])) return own['enum'];
  const parts = Array.isArray(node['allOf']) ? node['allOf'] : [];
  return parts.map((part) => ownValues(document, part, property, depth + 1)).find((values) => values !== undefined);
}
