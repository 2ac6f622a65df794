import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { CouldNotRun } from './errors.js';
import type { Json, JsonObject } from './spec/json.js';
import type { Direction } from './spec/normalise.js';
import { toRegExp } from './spec/pattern.js';

/** What one value has against one schema; empty where it fits. */
export type Objection = string;

/** Holds values against the schemas of one document: an Ajv of its own, which no server under test has seen. */
export interface Judge {
  objections(direction: Direction, pointer: string, value: Json): Objection[];
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
/** How Ajv makes its patterns; `code` would be their source in a generated file, and none is generated here. */
const regExp = Object.assign((pattern: string) => toRegExp(pattern), { code: 'new RegExp' });
/** Objections told of one value; the rest would not help anybody. */
const MOST = 5;

export function createJudge(documents: Record<Direction, JsonObject>): Judge {
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false, code: { regExp } });
  addFormats.default(ajv);
  const rfc3339 = ajv.formats['date-time'];
  // ajv-formats takes `urn:uuid:` and a space between date and time; OpenAPI's registry of formats does not.
  ajv.addFormat('uuid', UUID);
  ajv.addFormat('date-time', (text: string) => DATE_TIME.test(text) && accepts(rfc3339, text));
  for (const [direction, document] of Object.entries(documents)) ajv.addSchema(document, direction);

  const compiled = new Map<string, ValidateFunction>();
  function validator(direction: Direction, pointer: string): ValidateFunction {
    const reference = `${direction}${encodeURI(pointer)}`;
    let validate = compiled.get(reference);
    if (validate === undefined) {
      try {
        validate = ajv.compile({ $ref: reference });
      } catch (error) {
        throw new CouldNotRun(`the schema at ${pointer} cannot be compiled: ${String(error)}`);
      }
      compiled.set(reference, validate);
    }
    return validate;
  }

  return {
    objections(direction, pointer, value) {
      const validate = validator(direction, pointer);
      if (validate(value)) return [];
      return (validate.errors ?? []).slice(0, MOST).map(describe);
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
