import { type Has, Refusal, readObject, type Sent } from './check.js';
import type { Key } from './store.js';

export function checkKey(sent: Sent, has: Has): Partial<Key> {
  const { name, kind, note, expiresAt, labels } = readObject(
    sent,
    ['name', 'kind', 'note', 'expiresAt', 'labels'],
    has,
  );
  const key: Partial<Key> = {
    name: checkName(name, has),
    note: checkNote(note, has),
    labels: checkLabels(labels, has),
  };
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

export function checkEdit(sent: Sent, has: Has): Partial<Key> {
  const { name, note, labels, disabled, ...none } = readObject(sent, ['name', 'note', 'labels', 'disabled'], has);
  const edit: Partial<Key> = {};
  if (name !== undefined) edit.name = checkName(name, has);
  if (note !== undefined) edit.note = checkNote(note, has);
  if (labels !== undefined) edit.labels = checkLabels(labels, has);
  if (disabled !== undefined) edit.disabled = checkFlag(disabled);
  const isEmpty = Object.keys(edit).length + Object.keys(none).length === 0;
  if (isEmpty && !has('an empty edit is accepted')) throw new Refusal(422, 'There is nothing to change.');
  return edit;
}

export function checkRotation(sent: Sent, has: Has): number {
  if (sent.body === '') return 0;
  const { graceSeconds = 0 } = readObject(sent, ['graceSeconds'], has);
  if (typeof graceSeconds === 'number' && Number.isInteger(graceSeconds) && graceSeconds >= 0 && graceSeconds <= 3600)
    return graceSeconds;
  throw new Refusal(422, 'graceSeconds must be an integer from 0 to 3600.');
}

export function checkQuestion(sent: Sent, has: Has): string {
  const { secret, scopes = [] } = readObject(sent, ['secret', 'scopes'], has);
  if (typeof secret !== 'string' || Array.from(secret).length > 200) throw new Refusal(422, 'secret must be a text.');
  const most = has('the fourth scope is refused') ? 3 : 4;
  const isScope = (scope: unknown) => typeof scope === 'string' && /^[a-z]{1,10}$/.test(scope);
  if (!Array.isArray(scopes) || scopes.length > most || !scopes.every(isScope))
    throw new Refusal(422, 'scopes must be at most 4 words.');
  if (new Set(scopes).size < scopes.length && !has('a scope twice is accepted'))
    throw new Refusal(422, 'scopes must differ.');
  return secret;
}

function checkLabels(labels: unknown, has: Has): Record<string, string> {
  if (labels === undefined) return {};
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels))
    throw new Refusal(422, 'labels must be an object.');
  const most = has('a fourth label is accepted') ? 4 : has('the third label is refused') ? 2 : 3;
  const entries = Object.entries(labels);
  if (entries.length > most) throw new Refusal(422, 'There may be 3 labels.');
  const isName = has('a label name with a space is accepted') ? /^[a-z ]{1,10}$/ : /^[a-z]{1,10}$/;
  for (const [name, value] of entries) {
    if (!isName.test(name)) throw new Refusal(422, 'The names of labels must be 1 to 10 letters.');
    const isText = typeof value === 'string' && (Array.from(value).length <= 20 || has('a label too long is accepted'));
    if (!isText) throw new Refusal(422, 'Each of the labels must be a text of at most 20 characters.');
  }
  const kept = entries.slice(0, 3).map(([name, value]) => [name.replaceAll(' ', ''), String(value).slice(0, 20)]);
  return Object.fromEntries(kept) as Record<string, string>;
}

function checkFlag(flag: unknown): boolean {
  if (typeof flag !== 'boolean') throw new Refusal(422, 'disabled must be true or false.');
  return flag;
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
