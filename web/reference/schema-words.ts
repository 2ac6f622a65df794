import { nameOf, type Schema } from './document.js';
import { type Html, html } from './html.js';

/** The anchor of a schema's section. */
export function schemaAnchor(name: string): string {
  return `schema-${name}`;
}

export function schemaLink(name: string): Html {
  return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
}

/** The type in a few words, with links: `array of AccessToken`, `string or null`. */
export function typeOf(schema: Schema): Html {
  const name = nameOf(schema);
  if (name !== undefined) return schemaLink(name);
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  const choices = schema.oneOf ?? schema.anyOf;
  if (schema.type === undefined && choices !== undefined) return alternatives(choices.map(typeOf));
  const types = [schema.type ?? 'any'].flat();
  return alternatives(types.map((type) => (type === 'array' ? arrayOf(schema) : oneType(type, schema))));
}

function arrayOf({ items }: Schema): Html {
  return items === undefined ? html`array` : html`array of ${typeOf(items)}`;
}

function oneType(type: string, { format, additionalProperties }: Schema): Html {
  if (type === 'string' && format !== undefined) return html`string (${format})`;
  if (type === 'object' && typeof additionalProperties === 'object')
    return html`map of ${typeOf(additionalProperties)}`;
  return html`${type}`;
}

function alternatives(types: Html[]): Html {
  return html`${types.map((type, at) => html`${at === 0 ? '' : ' or '}${type}`)}`;
}

/** What values a schema allows, beyond its type: its bounds, its values and its default. */
export function boundsOf(schema: Schema): Html[] {
  const {
    enum: values,
    minLength,
    maxLength,
    minimum,
    maximum,
    minItems,
    maxItems,
    minProperties,
    maxProperties,
  } = schema;
  const bounds = [
    values === undefined ? undefined : html`one of ${codes(values)}`,
    range(minLength, maxLength, 'characters'),
    range(minimum, maximum, ''),
    range(minItems, maxItems, 'items'),
    range(minProperties, maxProperties, 'members'),
    schema.uniqueItems === true ? html`no item twice` : undefined,
    patternOf(schema),
    schema.default === undefined ? undefined : html`default <code>${JSON.stringify(schema.default)}</code>`,
  ];
  return bounds.filter((bound) => bound !== undefined);
}

function codes(values: unknown[]): Html[] {
  return values.map(
    (value, at) =>
      html`${at === 0 ? '' : ', '}<code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>`,
  );
}

const NUMBERS = new Intl.NumberFormat('en-US');

function range(least: number | undefined, most: number | undefined, unit: string): Html | undefined {
  const [from, to] = [least, most].map((bound) => (bound === undefined ? '' : NUMBERS.format(bound)));
  if (least === undefined && most === undefined) return undefined;
  if (most === undefined) return html`at least ${from} ${unit}`;
  if (least === undefined || (least === 0 && unit !== '')) return html`at most ${to} ${unit}`;
  return least === most ? html`exactly ${to} ${unit}` : html`${from} to ${to} ${unit}`;
}

function patternOf({ pattern, 'x-pattern-message': message }: Schema): Html | undefined {
  if (pattern === undefined) return undefined;
  if (message === undefined) return html`matches <code>${pattern}</code>`;
  return html`${message.replace(/^String should /, 'should ')}`;
}
