import type { JsonObject } from '../document/json.js';
import type { Parameter } from '../document/model.js';
import { allTypesOf } from './coerce.js';

// Object parameters whose members are parts of the query by themselves.

/** Whether the members of an object parameter are query parameters of their own. */
export function isOpenObject({ style, explode }: Parameter): boolean {
  return style === 'form' && explode;
}

/** Whether the name of an object parameter never appears as such in the query. */
export function isSpread(document: JsonObject, parameter: Parameter): boolean {
  const types = allTypesOf(document, parameter.schema);
  if (parameter.kind !== 'styled' || types.size !== 1 || !types.has('object')) return false;
  return parameter.style === 'deepObject' || isOpenObject(parameter);
}
