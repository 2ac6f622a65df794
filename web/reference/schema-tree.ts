import { type Document, nameOf, resolve, type Schema } from './document.js';
import { type Html, html } from './html.js';
import { inlineMarkdown, markdown } from './markdown.js';
import { boundsOf, schemaLink, typeOf } from './schema-words.js';

/** How deep the members of members are shown inside one tree; below that, links lead to the schemas. */
const DEEPEST = 3;

/** In a request, members are marked that must be sent; in an answer, those that may be absent. */
export type Side = 'request' | 'answer';

interface Place {
  document: Document;
  side: Side;
  depth: number;
  /** The names of the schemas around this one, since a schema may contain itself. */
  within: readonly string[];
}

/** The members of a schema, and below each member its own, which open on demand. */
export function schemaTree(document: Document, schema: Schema, side: Side): Html {
  return tree(schema, { document, side, depth: DEEPEST, within: [] });
}

/** The members of a schema without those of its members. */
export function schemaMembers(document: Document, schema: Schema): Html {
  return tree(schema, { document, side: 'request', depth: 0, within: [] });
}

function tree(given: Schema, place: Place): Html {
  const name = nameOf(given);
  const schema = resolve<Schema>(place.document, given);
  const inner = name === undefined ? place : { ...place, within: [...place.within, name] };
  const { properties, required = [], oneOf, anyOf, items } = schema;
  const members = Object.entries(properties ?? {});
  const choices = (oneOf ?? anyOf ?? []).filter(hasMembers(place.document));
  const onlyRequired = (oneOf ?? []).flatMap((choice) =>
    choice.properties === undefined ? (choice.required ?? []) : [],
  );
  return html`${
    members.length > 0
      ? html`<ul class="members">${members.map(([member, of]) => memberOf(member, of, required.includes(member), inner))}</ul>`
      : null
  }${
    onlyRequired.length > 0
      ? html`<p class="rule">Exactly one of ${onlyRequired.map((member, at) => html`${at === 0 ? '' : ', '}<code>${member}</code>`)} is required.</p>`
      : null
  }${choices.map((choice) => nested(choice, inner))}${
    members.length === 0 && items !== undefined && hasMembers(place.document)(items) ? nested(items, inner) : null
  }`;
}

function memberOf(name: string, schema: Schema, required: boolean, place: Place): Html {
  const inner = innermost(schema);
  const { description, ...rest } = resolve<Schema>(place.document, schema);
  const bounds = boundsOf(rest);
  return html`<li><div class="head"><code class="name">${name}</code> <span class="type">${typeOf(schema)}</span>${markOf(
    required,
    place.side,
  )}</div>${description === undefined ? null : markdown(description)}${boundsLine(bounds)}${
    hasMembers(place.document)(inner) ? nested(inner, place) : null
  }</li>`;
}

/** Whether a member must be sent, or may be absent; nothing where that goes without saying. */
export function markOf(isRequired: boolean, side: Side): Html | null {
  if (isRequired) return side === 'request' ? html` <span class="required">required</span>` : null;
  return side === 'request' ? null : html` <span class="type">may be absent</span>`;
}

/** The schema of an array's items, or of a map's values; otherwise the schema itself. */
function innermost(schema: Schema): Schema {
  if (schema.items !== undefined) return innermost(schema.items);
  return typeof schema.additionalProperties === 'object' ? innermost(schema.additionalProperties) : schema;
}

function nested(schema: Schema, place: Place): Html | null {
  const name = nameOf(schema);
  if (place.depth === 0 || (name !== undefined && place.within.includes(name))) return null;
  const title = name === undefined ? html`Members` : html`Members of ${name}`;
  return html`<details><summary>${title}</summary>${tree(schema, { ...place, depth: place.depth - 1 })}</details>`;
}

function hasMembers(document: Document): (schema: Schema) => boolean {
  return (schema) => {
    const found = resolve<Schema>(document, schema);
    if (found.properties !== undefined) return true;
    return [...(found.oneOf ?? []), ...(found.anyOf ?? [])].some(hasMembers(document));
  };
}

/** A line such as "1 to 255 characters; default `20`"; nothing if there are no bounds. */
export function boundsLine(bounds: readonly Html[]): Html | null {
  if (bounds.length === 0) return null;
  return html`<p class="bounds">${bounds.map((bound, at) => html`${at === 0 ? '' : '; '}${bound}`)}</p>`;
}

/** One line for a schema that has no members: its name or type, and its bounds. */
export function schemaLine(schema: Schema): Html {
  const name = nameOf(schema);
  return html`<p class="line">${name === undefined ? typeOf(schema) : schemaLink(name)}${
    schema.description === undefined ? null : html`: ${inlineMarkdown(schema.description)}`
  }</p>`;
}
