import { atPointer, isObject, type Json, type JsonObject, memberOf, textOf } from './json.js';
import { referred } from './references.js';
import { documentPlace, eachPart, fragment } from './shape.js';

const SCHEMAS = '#/components/schemas/';

/** A schema that another stands for, once its discriminator says which. */
interface Variant {
  reference: string;
  /** What the property says of it. */
  values: string[];
}

/**
 * Says in JSON Schema what discriminators mean: the property has one of the mapping's keys, else the schema's name, and
 * the value fits the schema that is named. Changes the document.
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
    // A child refers to what it descends from, and to nothing else.
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

/** A mapping leads to a reference, or to the name of a schema. */
function toReference(target: Json): string {
  const text = textOf(target);
  return text.includes('#') || text.includes('/') ? text : `${SCHEMAS}${fragment(text)}`;
}

/** The alternative with the values that stand for it, unless the schema itself has others. */
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

/** The values that a schema itself gives a property; undefined where it leaves them open. */
function ownValues(document: JsonObject, schema: Json, property: string, depth: number): Json[] | undefined {
  const node = referred(document, schema);
  if (node === undefined || depth > 8) return undefined;
  const own = referred(document, memberOf(node['properties'], property));
  if (own?.['const'] !== undefined) return [own['const']];
  if (Array.isArray(own?.['enum'])) return own['enum'];
  const parts = Array.isArray(node['allOf']) ? node['allOf'] : [];
  return parts.map((part) => ownValues(document, part, property, depth + 1)).find((values) => values !== undefined);
}
