import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { isMultiple } from './decimal.js';
import type { Json, JsonObject } from './document/json.js';
import type { Direction, Reading } from './document/normalise.js';
import { toRegExp, Undecided } from './document/pattern.js';

/** What one value has against one schema; empty where it fits. */
export type Objection = string;

/** A value is valid where it fits every reading of a schema, invalid where it fits none. */
export interface Opinion {
  kind: 'valid' | 'invalid' | 'unclear';
  objections: Objection[];
}

/** Holds values against the schemas of one document: an Ajv of its own, which no server under test has seen. */
export interface Judge {
  /** What speaks against a value: of a request where it does not fit every reading, of an answer where it fits none. */
  objections(direction: Direction, pointer: string, value: Json): Objection[];
  /** Of the value of a request. */
  opinion(pointer: string, value: Json): Opinion;
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
/** How Ajv makes its patterns; `code` would be their source in a generated file, and none is generated here. */
const regExp = Object.assign((pattern: string) => toRegExp(pattern) ?? /(?:)/, { code: 'new RegExp' });
/** Objections told of one value; the rest would not help anybody. */
const MOST = 5;
const UNDECIDED: Objection = 'a pattern takes too long for it';

/**
 * `skeletons` are the documents as the validator compiles them, by direction and reading. `onBroken` hears of a schema
 * that cannot be compiled all the same: nothing can be told of its values.
 */
export function createJudge(
  skeletons: Record<Direction, Record<Reading, JsonObject>>,
  onBroken: (pointer: string, why: string) => void,
): Judge {
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false, validateSchema: false, code: { regExp } });
  addFormats.default(ajv);
  const rfc3339 = ajv.formats['date-time'];
  // ajv-formats takes `urn:uuid:` and a space between date and time; OpenAPI's registry of formats does not.
  ajv.addFormat('uuid', UUID);
  ajv.addFormat('date-time', (text: string) => DATE_TIME.test(text) && accepts(rfc3339, text));
  ajv.removeKeyword('multipleOf');
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    error: { message: ({ schemaCode }) => `must be multiple of ${String(schemaCode)}` },
    validate: (step: number, value: number) => isMultiple(value, step),
  });
  for (const [direction, readings] of Object.entries(skeletons))
    for (const [reading, document] of Object.entries(readings)) ajv.addSchema(document, `${direction}-${reading}`);

  const compiled = new Map<string, ValidateFunction | undefined>();
  function validator(direction: Direction, reading: Reading, pointer: string): ValidateFunction | undefined {
    const reference = `${direction}-${reading}${pointer}`;
    if (compiled.has(reference)) return compiled.get(reference);
    let validate: ValidateFunction | undefined;
    try {
      validate = ajv.compile({ $ref: reference });
    } catch (error) {
      onBroken(pointer, error instanceof Error ? error.message : String(error));
    }
    compiled.set(reference, validate);
    return validate;
  }

  /** Undefined where it cannot be told. */
  function held(direction: Direction, reading: Reading, pointer: string, value: Json): Objection[] | undefined {
    const validate = validator(direction, reading, pointer);
    if (validate === undefined) return undefined;
    try {
      return validate(value) ? [] : (validate.errors ?? []).slice(0, MOST).map(describe);
    } catch (error) {
      if (error instanceof Undecided) return undefined;
      throw error;
    }
  }

  function opinion(pointer: string, value: Json): Opinion {
    const strict = held('request', 'strict', pointer, value);
    const wide = held('request', 'wide', pointer, value);
    if (strict === undefined || wide === undefined) return { kind: 'unclear', objections: [UNDECIDED] };
    if (strict.length === 0 && wide.length === 0) return { kind: 'valid', objections: [] };
    const kind = strict.length > 0 && wide.length > 0 ? 'invalid' : 'unclear';
    return { kind, objections: wide.length > 0 ? wide : strict };
  }

  return {
    opinion,
    objections(direction, pointer, value) {
      if (direction === 'request') return opinion(pointer, value).objections;
      const wide = held('response', 'wide', pointer, value) ?? [];
      if (wide.length === 0) return [];
      return (held('response', 'strict', pointer, value) ?? []).length === 0 ? [] : wide;
    },
  };
}

function accepts(format: Ajv2020['formats'][string], text: string): boolean {
  if (format instanceof RegExp) return format.test(text);
  const validate = typeof format === 'object' && 'validate' in format ? format.validate : format;
  if (validate instanceof RegExp) return validate.test(text);
  return typeof validate === 'function' ? (validate as (value: string) => boolean)(text) : true;
}

function describe({ instancePath, message = 'is wrong', keyword, params }: ErrorObject): Objection {
  const what = instancePath === '' ? 'the value' : instancePath;
  if (keyword === 'additionalProperties') return `${what} must not have ${String(params['additionalProperty'])}`;
  if (keyword === 'enum') return `${what} must be one of ${JSON.stringify(params['allowedValues'])}`;
  return `${what} ${message}`;
}
