import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from './faults.js';

/** An answer that says why not. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type Has = (fault: Fault) => boolean;

export interface Sent {
  body: string;
  headers: IncomingHttpHeaders;
}

export function integer(text: string, minimum: number, maximum: number, name: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new Refusal(422, `${name} must be an integer from ${String(minimum)} to ${String(maximum)}.`);
}

export function readObject({ body, headers }: Sent, names: string[], has: Has): Record<string, unknown> {
  const type = headers['content-type'] ?? '';
  if (!type.startsWith('application/json') && !(has('text/plain is accepted') && type === 'text/plain')) {
    throw new Refusal(422, 'The body must be application/json.');
  }
  const value = parse(body, has);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(422, 'The body must be an object.');
  const members = value as Record<string, unknown>;
  const unknown = Object.keys(members).find((name) => !names.includes(name));
  if (unknown !== undefined && !has('an unknown member is accepted'))
    throw new Refusal(422, `${unknown} is no member of this.`);
  return members;
}

/** The fields of a form, each a text; unknown ones are welcome. */
export function readForm({ body, headers }: Sent, has: Has): Record<string, string> {
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/json') && has('JSON is taken for a form')) {
    return parse(body, has) as Record<string, string>;
  }
  if (!type.startsWith('application/x-www-form-urlencoded')) throw new Refusal(415, 'The body must be a form.');
  return Object.fromEntries(new URLSearchParams(body));
}

function parse(body: string, has: Has): unknown {
  try {
    return JSON.parse(has('a body cut short is accepted') && !body.endsWith('}') ? `${body}}` : body);
  } catch (error) {
    if (has('malformed JSON fails')) throw error;
    throw new Refusal(422, 'The body is not JSON.');
  }
}

export function checkCredentials(sent: Sent, has: Has): { email: string; password: string } {
  const { email, password } = readObject(sent, ['email', 'password'], has);
  if (typeof email !== 'string' || email.length > 100 || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) {
    throw new Refusal(422, 'email must be an address.');
  }
  if (typeof password !== 'string' || password.length < 8 || Array.from(password).length > 100) {
    const told = has('a refused login tells the password') ? ` Not ${String(password)}.` : '';
    throw new Refusal(422, `password must have 8 to 100 characters.${told}`);
  }
  return { email, password };
}
