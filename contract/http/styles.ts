import { isObject, type Json } from '../document/json.js';
import type { Parameter } from '../document/model.js';

// Encodes and decodes values in the parameter styles of OpenAPI (RFC 6570).

type Style = Pick<Parameter, 'name' | 'style' | 'explode'> & { allowReserved?: boolean };

/** A value as the text of a parameter: a string unchanged, anything else as JSON. */
export function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Percent-encodes a text. A lone surrogate becomes U+FFFD, as every client sends it. */
export function escape(part: string): string {
  return encodeURIComponent(Buffer.from(part).toString());
}

/** Percent-encodes a text for `allowReserved`, but still encodes what would end the parameter or the query. */
function escapeReserved(part: string): string {
  return escape(part).replace(/%(3A|2F|3F|40|24|2C|3B|21|27|28|29|2A)/g, (code) => decodeURIComponent(code));
}

/** Encodes a path parameter in the style `simple`, `label` or `matrix`. */
export function writePath({ name, style, explode }: Style, value: Json, encode = escape): string {
  const items = Array.isArray(value) ? value.map((item) => encode(plain(item))) : undefined;
  const members = isObject(value)
    ? Object.entries(value).map(([key, member]) => [encode(key), encode(plain(member))] as const)
    : undefined;
  const pairs = members?.map((pair) => pair.join(explode ? '=' : ','));
  if (style === 'matrix') {
    const key = encode(name);
    if (explode && items) return items.map((item) => `;${key}=${item}`).join('');
    if (explode && pairs) return pairs.map((pair) => `;${pair}`).join('');
    const text = (items ?? pairs)?.join(',') ?? encode(plain(value));
    return text === '' ? `;${key}` : `;${key}=${text}`;
  }
  const separator = style === 'label' && explode ? '.' : ',';
  const text = (items ?? pairs)?.join(separator) ?? encode(plain(value));
  return style === 'label' ? `.${text}` : text;
}

/** Encodes a header parameter in the style `simple`, without percent-encoding. */
export function writeSimple(style: Style, value: Json): string {
  return writePath({ ...style, style: 'simple' }, value, (text) => text);
}

/** Encodes a value as `name=value` parts of a query or a form; an empty exploded list has no parts. */
export function writeQuery({ name, style, explode, allowReserved = false }: Style, value: Json): string[] {
  const encode = allowReserved ? escapeReserved : escape;
  const key = escape(name);
  const separator = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '%7C' : ',';
  if (Array.isArray(value)) {
    const items = value.map((item) => encode(plain(item)));
    return explode ? items.map((item) => `${key}=${item}`) : [`${key}=${items.join(separator)}`];
  }
  if (!isObject(value)) return [`${key}=${encode(plain(value))}`];
  const members = Object.entries(value).map(([member, inner]) => [escape(member), encode(plain(inner))] as const);
  if (style === 'deepObject') return members.map(([member, inner]) => `${key}[${member}]=${inner}`);
  if (explode) return members.map(([member, inner]) => `${member}=${inner}`);
  return [`${key}=${members.flat().join(separator)}`];
}

/** A part of a request: as it is sent, and percent-decoded. */
export interface Text {
  raw: string;
  text: string;
}

/** The parts of a decoded parameter: one text, a list of texts, or pairs of name and text. */
export type Pieces = string | string[] | [string, string][];

/** A parameter that can be split into parts in several ways. */
export class Ambiguous extends Error {}

/** Splits a parameter into its parts. Throws `Ambiguous` if that can be done in several ways. */
export function readStyled(
  { name, in: place, style, explode }: Pick<Parameter, 'name' | 'in' | 'style' | 'explode'>,
  form: 'plain' | 'list' | 'object',
  texts: Text[],
): Pieces {
  const [first = { raw: '', text: '' }] = texts;
  if (style === 'matrix' || style === 'label') return readSegment({ name, style, explode }, form, first);
  if (form === 'plain') {
    if (texts.length > 1) throw new Ambiguous(`${name} is repeated`);
    return first.text;
  }
  if (form === 'list' && explode && place === 'query') return texts.map(({ text }) => text);
  if (texts.length > 1) throw new Ambiguous(`${name} is repeated`);
  const separator = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ',';
  const pieces = split(first, separator, place === 'query');
  return form === 'list' ? pieces : toPairs(pieces, explode);
}

function readSegment({ name, style, explode }: Style, form: 'plain' | 'list' | 'object', { raw, text }: Text): Pieces {
  const sign = style === 'matrix' ? ';' : '.';
  if (!text.startsWith(sign)) throw new Ambiguous(`${name} does not begin with ${sign}`);
  const rest = { raw: raw.replace(/^(\.|;|%3B|%2E)/i, ''), text: text.slice(1) };
  if (style === 'label') {
    if (form === 'plain') return rest.text;
    // OpenAPI 3.0.3 separates the items with a dot, 3.0.4 with a comma.
    if (!explode && /[.,]/.test(rest.text))
      throw new Ambiguous('OpenAPI 3.0.3 and 3.0.4 define the style label differently');
    const pieces = split(rest, explode ? '.' : ',', false);
    return form === 'list' ? pieces : toPairs(pieces, explode);
  }
  const parts = explode && form !== 'plain' ? split(rest, ';', false) : [rest.text];
  if (form === 'object' && explode) return toPairs(parts, true);
  const values = parts.map((part) => {
    if (part !== name && !part.startsWith(`${name}=`)) throw new Ambiguous(`${name} has another name`);
    return part.slice(name.length + 1);
  });
  if (form === 'plain') return values[0] ?? '';
  if (explode) return values;
  const pieces = split({ raw: rest.raw.replace(/^[^=]*=?/, ''), text: values[0] ?? '' }, ',', false);
  return form === 'list' ? pieces : toPairs(pieces, false);
}

/** Splits a text. For some servers a percent-encoded separator separates items, for others it belongs to an item. */
function split({ raw, text }: Text, separator: string, mayBeEncoded: boolean): string[] {
  const pieces = text.split(separator);
  const isEncodedAlways = mayBeEncoded && separator !== ',';
  if (!isEncodedAlways && raw.split(separator).length !== pieces.length)
    throw new Ambiguous('an item contains a percent-encoded separator');
  if (text === '') throw new Ambiguous('an empty text may be an empty list, or one empty item');
  return pieces;
}

function toPairs(pieces: string[], explode: boolean): [string, string][] {
  if (explode) {
    return pieces.map((piece) => {
      const at = piece.indexOf('=');
      if (at < 0) throw new Ambiguous('a member without a value');
      return [piece.slice(0, at), piece.slice(at + 1)];
    });
  }
  if (pieces.length % 2 !== 0) throw new Ambiguous('a member without a value');
  return Array.from({ length: pieces.length / 2 }, (_, index) => [
    pieces[2 * index] ?? '',
    pieces[2 * index + 1] ?? '',
  ]);
}
