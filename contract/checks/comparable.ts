import { isObject, type Json, type JsonObject } from '../document/json.js';
import { thingIn } from '../document/links.js';
import { answerFor, type Operation } from '../document/model.js';
import { sameName } from '../document/names.js';
import type { Judge } from '../judge.js';

/**
 * Whether an answer may tell this value at the member of that name. Where its schema does not allow that, the server
 * tells what was sent in another form, such as a number for a text, and nothing can be compared.
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
  thing[member] = value;
  return (
    judge.objections('response', pointer, body).length > 0 ||
    judge.objections('response', pointer, changed).length === 0
  );
}
