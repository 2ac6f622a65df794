import type { Verdict } from '../http/decode.js';
import type { WireRequest } from '../http/encode.js';
import type { Answer } from '../http/send.js';
import type { ContractOptions } from '../options.js';
import type { Finding } from './answer.js';
import { practice } from './practice.js';

/** Checks that a 400 or 422 names the one member or parameter that is wrong. */
export function checkPlace(
  options: ContractOptions,
  wire: WireRequest,
  { kind, why, open = [] }: Verdict,
  { status, text }: Answer,
): Finding[] {
  if (kind !== 'invalid' || (status !== 400 && status !== 422) || !isEncoded(wire)) return [];
  // The server may have rejected the request for its unclear parts instead.
  if (open.length > 0) return [];
  const places = why.map(placeOf);
  const [names] = places;
  if (names === undefined || places.some((place) => place?.join() !== names.join())) return [];
  const lower = text.toLowerCase();
  if (names.some((name) => lower.includes(name.toLowerCase()))) return [];
  const message = 'an error does not name the member that is wrong';
  return [practice(options, 'place', 'place', message, `an error that names ${names.join('/')}`)];
}

/** Whether the percent-encoding of the request is well-formed. If not, a server cannot know which member is wrong. */
function isEncoded({ target, headers, body }: WireRequest): boolean {
  const isForm = /x-www-form-urlencoded/i.test(headers['Content-Type'] ?? '');
  try {
    decodeURIComponent(target);
    if (isForm && body !== undefined) decodeURIComponent(Buffer.from(body).toString());
    return true;
  } catch {
    return false;
  }
}

/** The names on the path to the member that an objection is about; undefined if it is about no single member. */
function placeOf(why: string): string[] | undefined {
  const [, parameter] = /^(?:path|query|header|cookie) parameter (\S+?)(?::| is missing)/.exec(why) ?? [];
  if (parameter !== undefined) return [parameter];
  const [, pointer = '', rest = ''] = /^body: (\/\S*|the value) (.*)$/.exec(why) ?? [];
  const [, missing] = /(?:required property '|must not have )([^']+)'?$/.exec(rest) ?? [];
  // An error need not contain the index of an item.
  const path = pointer
    .split('/')
    .slice(1)
    .filter((step) => !/^\d+$/.test(step));
  const names = missing === undefined ? path : [...path, missing];
  // Errors may write unusual names in different ways.
  if (!names.every((name) => /^[\w.-]+$/.test(name))) return undefined;
  // A failed alternative does not show which member is wrong.
  return names.length === 0 || /oneOf|anyOf|\bif\b/.test(rest) ? undefined : names;
}
