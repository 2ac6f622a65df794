import { isObject, type Json, type JsonObject } from '../document/json.js';
import { toRegExp } from '../document/pattern.js';
import { branches, flatten, type Schema, type SchemaOrBoolean, typesOf } from '../document/schema.js';
import { namesOf } from './arbitrary.js';
import { distinctOf } from './samples.js';

/** A place in a body: a member or an item. */
export interface Slot {
  path: (string | number)[];
  schema: SchemaOrBoolean;
  /** Whether the body must contain it, if it contains the value around it. */
  required: boolean;
}

/** Levels of nesting below the first that have slots; only random requests reach deeper. */
const DEEPEST = 3;
/** Most slots of a body. */
const MOST = 250;

/**
 * The places in a body with this schema, the outer ones first: the members of objects, one additional member of each
 * object that allows any, and the first item of each list.
 */
export function slotsOf(document: JsonObject, schema: SchemaOrBoolean | undefined): Slot[] {
  const found = new Map<string, Slot>();
  let level: Slot[] = [{ path: [], schema: schema ?? true, required: true }];
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const next: Slot[] = [];
    for (const slot of level) {
      for (const inner of innerSlots(document, slot)) {
        const key = JSON.stringify(inner.path);
        if (found.has(key)) continue;
        if (found.size >= MOST) return [...found.values()];
        found.set(key, inner);
        next.push(inner);
      }
    }
    level = next;
  }
  return [...found.values()];
}

function innerSlots(document: JsonObject, { path, schema }: Slot): Slot[] {
  return branches(document, schema).flatMap((branch): Slot[] => {
    const types = typesOf(branch);
    const slots: Slot[] = [];
    if (types.includes('object')) {
      for (const [name, property] of Object.entries(branch.properties ?? {})) {
        if (property === false || flatten(document, property).readOnly === true) continue;
        slots.push({ path: [...path, name], schema: property, required: branch.required?.includes(name) === true });
      }
      for (const [pattern, property] of Object.entries(branch.patternProperties ?? {})) {
        const named = { patternProperties: { [pattern]: property }, additionalProperties: false };
        const name = freeName(document, { ...named, ...(branch.properties && { properties: branch.properties }) });
        if (name !== undefined && property !== false)
          slots.push({ path: [...path, name], schema: property, required: false });
      }
      const free = isObject(branch.additionalProperties) ? freeName(document, branch) : undefined;
      if (isObject(branch.additionalProperties) && free !== undefined)
        slots.push({ path: [...path, free], schema: branch.additionalProperties, required: false });
    }
    if (types.includes('array')) {
      const { prefixItems = [], items } = branch;
      const firsts = prefixItems.length > 0 ? prefixItems : items === undefined ? [] : [items];
      for (const [index, item] of firsts.entries())
        slots.push({ path: [...path, index], schema: item, required: true });
    }
    return slots;
  });
}

/** A name that the object allows for an additional member; undefined if none is found. */
function freeName(document: JsonObject, schema: Schema): string | undefined {
  const [pattern] = schema.additionalProperties === false ? Object.keys(schema.patternProperties ?? {}) : [];
  const isFree = (name: string) =>
    !Object.hasOwn(schema.properties ?? {}, name) && (pattern === undefined || toRegExp(pattern)?.test(name) === true);
  return distinctOf(namesOf(document, schema), 8).find(isFree);
}

/** The value at a place; undefined if there is none. */
export function valueAt(body: Json | undefined, path: Slot['path']): Json | undefined {
  let node: Json | undefined = body;
  for (const step of path) {
    if (Array.isArray(node)) node = node[Number(step)];
    else node = isObject(node) && Object.hasOwn(node, step) ? node[step] : undefined;
  }
  return node;
}

/**
 * A copy of the body with `value` at a place, or without the place if `value` is undefined. The index after the last
 * item of a list appends. The result is undefined if the value around the place is absent.
 */
export function withValue(body: Json, path: Slot['path'], value: Json | undefined): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(body)) {
    const inner = body[Number(step)];
    if (rest.length === 0 && value !== undefined && step === body.length) return [...body, value];
    const changed = rest.length === 0 ? value : inner === undefined ? undefined : withValue(inner, rest, value);
    if (changed === undefined) return rest.length === 0 ? body.filter((_, index) => index !== step) : undefined;
    return body.map((item, index) => (index === step ? changed : item));
  }
  if (!isObject(body)) return undefined;
  if (rest.length === 0) {
    if (value !== undefined) return { ...body, [step]: value };
    return Object.fromEntries(Object.entries(body).filter(([name]) => name !== step));
  }
  const inner = body[step];
  if (inner === undefined) return undefined;
  const changed = withValue(inner, rest, value);
  return changed === undefined ? undefined : { ...body, [step]: changed };
}

export function pathText(path: Slot['path']): string {
  return `/${path.join('/')}`;
}
