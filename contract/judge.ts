import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { isMultiple } from './decimal.js';
import type { Json, JsonObject } from './document/json.js';
import type { Direction, Reading } from './document/normalise.js';
import { toRegExp, Undecided } from './document/pattern.js';
import { createTwins } from './document/twins.js';

/** How a value violates a schema, in a few words. */
export type Objection = string;

/** `valid`: the value fits every reading of the schema. `invalid`: it fits none. `unclear`: it fits some of them. */
export interface Opinion {
  kind: 'valid' | 'invalid' | 'unclear';
  objections: Objection[];
}

/** Validates values by the schemas of one document. It shares no code with the server. */
export interface Judge {
  /**
   * How a value violates the schema at `pointer`; empty if it does not. A value of a request must fit every reading of
   * the schema, and a value of an answer at least one.
   */
  objections(direction: Direction, pointer: string, value: Json): Objection[];
  /** Whether the schema at `pointer` allows a value of a request. */
  opinion(pointer: string, value: Json): Opinion;
  /** Compiles a schema ahead of its first value, so that a broken one is known in time. */
  compile(direction: Direction, pointer: string): void;
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
/** Creates the patterns for Ajv. Ajv requires `code` for standalone code, which is not generated here. */
const regExp = Object.assign((pattern: string) => toRegExp(pattern) ?? /(?:)/, { code: 'new RegExp' });
/** Most objections that are reported for one value. */
const MOST = 5;
const UNDECIDED: Objection = 'its pattern takes too long to match';

/**
 * `skeletons` are the schemas of the document, by direction and reading. `onBroken` is called for a schema that cannot
 * be compiled; its values are unclear.
 */
export function createJudge(
  skeletons: Record<Direction, Record<Reading, JsonObject>>,
  onBroken: (pointer: string, why: string) => void,
): Judge {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    logger: false,
    validateSchema: false,
    // To decide whether a schema can be inlined, Ajv walks all of it again at each level.
    inlineRefs: false,
    code: { regExp },
  });
  addFormats.default(ajv);
  const rfc3339 = ajv.formats['date-time'];
  // ajv-formats accepts `urn:uuid:` and a space between date and time. OpenAPI's registry of formats does not.
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
  const documents = [
    { name: 'response-wide', document: skeletons.response.wide },
    { name: 'response-strict', document: skeletons.response.strict },
    { name: 'request-strict', document: skeletons.request.strict },
    { name: 'request-wide', document: skeletons.request.wide },
  ];
  for (const { name, document } of documents) ajv.addSchema(document, name);
  const twins = documents.map(({ name, document }, index) => ({
    name,
    likes: documents
      .slice(0, index)
      .map((other) => ({ name: other.name, isTwin: createTwins(document, other.document) })),
  }));

  /** The document to compile a schema of: most schemas are the same for both directions and readings. */
  function documentFor(direction: Direction, reading: Reading, pointer: string): string {
    const own = `${direction}-${reading}`;
    const likes = twins.find(({ name }) => name === own)?.likes ?? [];
    return likes.find(({ isTwin }) => isTwin(pointer))?.name ?? own;
  }

  const compiled = new Map<string, ValidateFunction | undefined>();
  const references = new Map<string, string>();
  function validator(direction: Direction, reading: Reading, pointer: string): ValidateFunction | undefined {
    const place = `${direction} ${reading} ${pointer}`;
    const reference = references.get(place) ?? `${documentFor(direction, reading, pointer)}${pointer}`;
    references.set(place, reference);
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

  /** Undefined if the schema cannot be compiled, or a pattern takes too long. */
  function objectionsBy(direction: Direction, reading: Reading, pointer: string, value: Json): Objection[] | undefined {
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
    const strict = objectionsBy('request', 'strict', pointer, value);
    const isOne = validator('request', 'strict', pointer) === validator('request', 'wide', pointer);
    const wide = isOne ? strict : objectionsBy('request', 'wide', pointer, value);
    if (strict === undefined || wide === undefined) return { kind: 'unclear', objections: [UNDECIDED] };
    if (strict.length === 0 && wide.length === 0) return { kind: 'valid', objections: [] };
    const kind = strict.length > 0 && wide.length > 0 ? 'invalid' : 'unclear';
    return { kind, objections: wide.length > 0 ? wide : strict };
  }

  return {
    compile(direction, pointer) {
      validator(direction, 'wide', pointer);
      if (direction === 'request') validator(direction, 'strict', pointer);
    },
    opinion,
    objections(direction, pointer, value) {
      if (direction === 'request') return opinion(pointer, value).objections;
      const wide = objectionsBy('response', 'wide', pointer, value) ?? [];
      if (wide.length === 0) return [];
      return (objectionsBy('response', 'strict', pointer, value) ?? []).length === 0 ? [] : wide;
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
