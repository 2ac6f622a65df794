import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from './faults.js';
import type { Key } from './store.js';

/** An answer that says why not. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Has = (fault: Fault) => boolean;
interface Sent {
  body: string;
  headers: IncomingHttpHeaders;
}

export function integer(text: string, minimum: number, maximum: number, name: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new Refusal(422, `${name} must be an integer from ${String(minimum)} to ${String(maximum)}.`);
}

function readObject({ body, headers }: Sent, names: string[], has: Has): Record<string, unknown> {
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
    throw new Refusal(422, 'There is an unknown member.');
  return members;
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

export function checkKey(sent: Sent, has: Has): Partial<Key> {
  const { name, kind, note, expiresAt } = readObject(sent, ['name', 'kind', 'note', 'expiresAt'], has);
  const key: Partial<Key> = { name: checkName(name, has), note: checkNote(note, has) };
  const isKind = kind === 'read' || kind === 'write';
  if (isKind) key.kind = kind;
  else if (kind === undefined ? !has('a missing kind is accepted') : !has('another kind is accepted')) {
    throw new Refusal(422, 'kind must be read or write.');
  }
  if (expiresAt !== undefined) {
    const isInstant = typeof expiresAt === 'string' && expiresAt.length <= 40 && isDateTime(expiresAt);
    if (!isInstant && !has('any text for expiresAt is accepted'))
      throw new Refusal(422, 'expiresAt must be an instant.');
    if (isInstant) key.expiresAt = expiresAt;
  }
  return key;
}

function checkName(name: unknown, has: Has): string {
  if (typeof name === 'number' && has('a number for a name is accepted')) return String(name);
  if (typeof name !== 'string') throw new Refusal(422, 'name must be a text.');
  if (has('NUL in a name fails') && name.includes('\0')) throw new RangeError('a planted fault');
  if (has('emoji in a name fail') && /\p{Extended_Pictographic}/u.test(name)) throw new RangeError('a planted fault');
  const length = has('length counts UTF-16 units') ? name.length : Array.from(name).length;
  const longest = has('the longest name is refused') ? 39 : 40;
  if (length > longest) {
    if (!has('a name too long is accepted')) throw new Refusal(422, 'name must have at most 40 characters.');
    return name.slice(0, 40);
  }
  if (length > 0) return name;
  if (has('an empty name is accepted')) return 'unnamed';
  throw new Refusal(422, 'name must not be empty.');
}

function checkNote(note: unknown, has: Has): string | null {
  if (note === undefined) return null;
  if (note === null) {
    if (has('null for a note is refused')) throw new Refusal(422, 'note must be a text.');
    return null;
  }
  if (typeof note !== 'string' || Array.from(note).length > 60)
    throw new Refusal(422, 'note must be a text of at most 60 characters.');
  if (has('a lone surrogate in a note fails') && /\p{Surrogate}/u.test(note)) throw new RangeError('a planted fault');
  return note;
}

function isDateTime(text: string): boolean {
  const [, date = ''] = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (date === '' || Number.isNaN(Date.parse(text))) return false;
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}
