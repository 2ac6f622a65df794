import type { Verdict } from '../http/decode.js';
import type { WireRequest } from '../http/encode.js';
import type { Answer } from '../http/send.js';
import type { ContractOptions } from '../options.js';
import type { Finding } from './answer.js';
import { practice } from './practice.js';

/** Holds a refusal of bad input to naming the one member or parameter that is wrong with it. */
export function checkPlace(
  options: ContractOptions,
  wire: WireRequest,
  { kind, why, open = [] }: Verdict,
  { status, text }: Answer,
): Finding[] {
  if (kind !== 'invalid' || (status !== 400 && status !== 422) || !isEncoded(wire)) return [];
  // A server may as well object to what is left to it.
  if (open.length > 0) return [];
  const places = why.map(placeOf);
  const [names] = places;
  if (names === undefined || places.some((place) => place?.join() !== names.join())) return [];
  const lower = text.toLowerCase();
  if (names.some((name) => lower.includes(name.toLowerCase()))) return [];
  const message = 'an error does not name the member that is wrong';
  return [practice(options, 'place', 'place', message, `something about ${names.join('/')}`)];
}

/** Whether the percent-encoding of the request can be read; where it cannot, a server need not know whose it is. */
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

/** The names along the way to what an objection is about; undefined where it is about no member. */
function placeOf(why: string): string[] | undefined {
  const [, parameter] = /^(?:path|query|header|cookie) parameter (\S+?)(?::| is missing)/.exec(why) ?? [];
  if (parameter !== undefined) return [parameter];
  const [, pointer = '', rest = ''] = /^body: (\/\S*|the value) (.*)$/.exec(why) ?? [];
  const [, missing] = /(?:required property '|must not have )([^']+)'?$/.exec(rest) ?? [];
  // Which row of a list it is need not be told.
  const path = pointer
    .split('/')
    .slice(1)
    .filter((step) => !/^\d+$/.test(step));
  const names = missing === undefined ? path : [...path, missing];
  // Of the oddest names it is open how an error writes them.
  if (!names.every((name) => /^[\w.-]+$/.test(name))) return undefined;
  // An alternative that does not fit says little about the member that is meant.
  return names.length === 0 || /oneOf|anyOf|\bif\b/.test(rest) ? undefined : names;
}
