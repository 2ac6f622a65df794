import { isObject, type Json } from '../document/json.js';
import type { Parameter } from '../document/model.js';

// How the styles of OpenAPI (RFC 6570) write values, and read them again.

type Style = Pick<Parameter, 'name' | 'style' | 'explode'> & { allowReserved?: boolean };

/** A value as a parameter states it; JSON for what no style has a form for. */
export function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A lone surrogate has no UTF-8; what replaces it is what any client would send. */
export function escape(part: string): string {
  return encodeURIComponent(Buffer.from(part).toString());
}

/** What stands for itself in a query whose parameter allows that, but for what would end the parameter or the query. */
function escapeReserved(part: string): string {
  return escape(part).replace(/%(3A|2F|3F|40|24|2C|3B|21|27|28|29|2A)/g, (code) => decodeURIComponent(code));
}

/** A segment of a path, or a part of one, by `simple`, `label` or `matrix`. */
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

/** A header's value: `simple`, without percent-encoding. */
export function writeSimple(style: Style, value: Json): string {
  return writePath({ ...style, style: 'simple' }, value, (text) => text);
}

/** The parts of a query, or of a form, that a value is written as; none for an empty list that is written item by item. */
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

/** A part of a request as it stands on the wire, and what its percent-encoding says. */
export interface Text {
  raw: string;
  text: string;
}

/** What a text is made of: one text, a list of them, or pairs of names and texts. */
export type Pieces = string | string[] | [string, string][];

/** A text whose parts cannot be told from each other. */
export class Ambiguous extends Error {}

/** Takes a value of the wanted form apart; throws `Ambiguous` where it has several readings. */
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
    // The tables of 3.0.3 have a dot here, those of 3.0.4 a comma.
    if (!explode && /[.,]/.test(rest.text)) throw new Ambiguous('label has two forms');
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

/** A separator that is percent-encoded is part of an item for one reader and separates items for another. */
function split({ raw, text }: Text, separator: string, mayBeEncoded: boolean): string[] {
  const pieces = text.split(separator);
  const isEncodedAlways = mayBeEncoded && separator !== ',';
  if (!isEncodedAlways && raw.split(separator).length !== pieces.length)
    throw new Ambiguous('the separator is ambiguous');
  if (text === '') throw new Ambiguous('nothing may be no item, or an empty one');
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
