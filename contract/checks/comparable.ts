import { isObject, type Json, type JsonObject } from '../document/json.js';
import { thingIn } from '../document/links.js';
import { answerFor, type Operation } from '../document/model.js';
import { sameName } from '../document/names.js';
import type { Judge } from '../judge.js';

/**
 * Whether the schema of an answer allows `value` in the member `name`. If it does not, the server returns the value in
 * another form than it was sent, such as a number for a text, and the two cannot be compared.
 */
export function canContain(
  judge: Judge,
  operation: Operation,
  status: number,
  body: Json | undefined,
  name: string,
  value: Json,
): boolean {
  const pointer = answerFor(operation, status)?.content.find(({ mediaType }) => /json/i.test(mediaType))?.pointer;
  if (pointer === undefined || !isObject(body)) return true;
  const changed = structuredClone(body);
  const thing: JsonObject | undefined = thingIn(changed);
  const member = Object.keys(thing ?? {}).find((each) => each === name || sameName(each, name));
  if (thing === undefined || member === undefined) return true;
  if (judge.objections('response', pointer, body).length > 0) return true;
  return formsOf(value).some((form) => {
    thing[member] = form;
    return judge.objections('response', pointer, changed).length === 0;
  });
}

/** The forms in which a server may return a value: an instant in UTC too, whose text may be shorter. */
function formsOf(value: Json): Json[] {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value) || Number.isNaN(Date.parse(value))) return [value];
  const inUtc = new Date(value).toISOString();
  return [value, inUtc, inUtc.replace(/\.\d+Z$/, 'Z')];
}
