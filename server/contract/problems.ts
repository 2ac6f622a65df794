import type { ErrorObject } from 'ajv';
import type { Problem } from '../../generated/types.gen.js';

/** The most problems in one answer; a hostile body can have thousands of errors. */
const MOST_PROBLEMS = 64;

/** Keywords whose errors are left out, because Ajv also reports the error of the keyword inside. */
const REPETITION = new Set(['propertyNames']);
const LENGTH = new Set(['minLength', 'maxLength']);
const FORM = new Set(['pattern', 'format']);

/**
 * Converts Ajv's errors to the contract's problems, at most 64. openapi-backend passes a request to Ajv as the object
 * `{ path, query, header, cookie, requestBody }`. So the first segment of Ajv's `instancePath` says in which part of
 * the request the problem is.
 */
export function toProblems(errors: ErrorObject[]): Problem[] {
  const ofWrongLength = new Set(
    errors.filter(({ keyword }) => LENGTH.has(keyword)).map(({ instancePath }) => instancePath),
  );
  return (
    errors
      // A text of the wrong length usually has the wrong form too. Report only the problem with the length.
      .filter(({ keyword, instancePath }) => !FORM.has(keyword) || !ofWrongLength.has(instancePath))
      .filter(({ keyword, schemaPath }) => !REPETITION.has(keyword) && !schemaPath.includes('/oneOf/'))
      .slice(0, MOST_PROBLEMS)
      .map(toProblem)
  );
}

function toProblem(error: ErrorObject): Problem {
  const [place = '', ...rest] = error.instancePath.split('/').slice(1).map(unescapePointer);
  const { params } = error as { params: Record<string, unknown> };
  const member = params['missingProperty'] ?? params['additionalProperty'] ?? error.propertyName;
  const segments = [...rest, ...(typeof member === 'string' ? [member] : [])];
  if (place === '' && member === 'requestBody') return { loc: ['body'], msg: 'A body is required', type: 'missing' };

  const inBody = place === 'requestBody';
  const loc = [inBody ? 'body' : place, ...(place === 'header' ? segments.map(headerName) : segments)];
  return { loc: toLoc(loc), ...describe(error, inBody) };
}

/**
 * Shortens a place to 16 segments of 256 characters, because a place in a hostile request can be as long as the
 * request.
 */
export function toLoc(segments: string[]): string[] {
  return segments.slice(0, 16).map((segment) => segment.slice(0, 256));
}

/** Returns message and type in the style of Pydantic, which clients of the access tokens API know. */
function describe(error: ErrorObject, inBody: boolean): Pick<Problem, 'msg' | 'type'> {
  const { keyword, params, parentSchema } = error as ErrorObject<string, Record<string, unknown>>;
  const bound = String(params['limit']);
  switch (keyword) {
    case 'required':
      return { msg: 'Field required', type: 'missing' };
    case 'additionalProperties':
      return { msg: 'Extra inputs are not permitted', type: 'extra_forbidden' };
    case 'minLength':
      return {
        msg: `String should have at least ${bound} character${bound === '1' ? '' : 's'}`,
        type: 'string_too_short',
      };
    case 'maxLength':
      return { msg: `String should have at most ${bound} characters`, type: 'string_too_long' };
    case 'minimum':
      return { msg: `Input should be greater than or equal to ${bound}`, type: 'greater_than_equal' };
    case 'maximum':
      return { msg: `Input should be less than or equal to ${bound}`, type: 'less_than_equal' };
    case 'minItems':
    case 'minProperties':
      return { msg: `Input should have at least ${bound} item${bound === '1' ? '' : 's'}`, type: 'too_short' };
    case 'maxItems':
    case 'maxProperties':
      return { msg: `Input should have at most ${bound} items`, type: 'too_long' };
    case 'oneOf': {
      const alternatives = (parentSchema?.['oneOf'] ?? []) as Alternative[];
      return { msg: `Input should have ${describeAlternatives(alternatives)}`, type: 'value_error' };
    }
    case 'uniqueItems':
      return { msg: 'Items should differ from each other', type: 'value_error' };
    case 'enum':
      return { msg: `Input should be one of ${listOf(params['allowedValues'])}`, type: 'enum' };
    case 'pattern':
      return {
        msg: String(parentSchema?.['x-pattern-message'] ?? 'String should match the documented pattern'),
        type: 'string_pattern_mismatch',
      };
    case 'type':
      return describeType([params['type']].flat().map(String), inBody);
    case 'format':
      return describeFormat(String(params['format']));
    default:
      return { msg: `Input ${error.message ?? 'is not valid'}`, type: 'value_error' };
  }
}

interface Alternative {
  required?: string[];
  properties?: Record<string, { const?: unknown }>;
  not?: { required?: string[] };
}

function describeAlternatives(alternatives: Alternative[]): string {
  const members = alternatives.flatMap(({ required = [] }) => required).join(', ');
  if (alternatives.every(({ properties }) => properties === undefined)) return `exactly one of ${members}`;
  const described = alternatives.map(({ required = [], properties = {}, not }) => [
    ...Object.entries(properties).map(([name, schema]) => `${name} ${String(schema.const)}`),
    ...required.map((name) => `with ${name}`),
    ...(not?.required ?? []).map((name) => `without ${name}`),
  ]);
  return described.map((words) => words.join(' ')).join(', or ');
}

function describeType(types: string[], inBody: boolean): Pick<Problem, 'msg' | 'type'> {
  const orNull = types.includes('null') ? ' or null' : '';
  if (types.includes('integer')) {
    return { msg: `Input should be a valid integer${orNull}`, type: inBody ? 'int_type' : 'int_parsing' };
  }
  if (types.includes('boolean')) {
    return { msg: `Input should be true or false${orNull}`, type: inBody ? 'bool_type' : 'bool_parsing' };
  }
  if (types.includes('array')) return { msg: 'Input should be a list', type: 'list_type' };
  if (types.includes('object')) return { msg: 'Input should be an object', type: 'object_type' };
  return { msg: `Input should be a valid string${orNull}`, type: 'string_type' };
}

function describeFormat(format: string): Pick<Problem, 'msg' | 'type'> {
  switch (format) {
    case 'uuid':
      return { msg: 'Input should be a valid UUID in its 8-4-4-4-12 form', type: 'uuid_parsing' };
    case 'date-time':
      return {
        msg: 'Input should be a valid date-time: RFC 3339 with a zone, such as 2030-01-31T12:00:00Z',
        type: 'datetime_parsing',
      };
    case 'email':
      return { msg: 'Input should be a valid e-mail address', type: 'email_parsing' };
    default:
      return { msg: `Input should be a valid ${format}`, type: 'value_error' };
  }
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => `'${String(value)}'`).join(', ') : '';
}

/** Returns the usual spelling of a header's name, such as `If-Match` for `if-match`. */
function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function unescapePointer(segment: string): string {
  return segment.replace(/~1/g, '/').replace(/~0/g, '~');
}
