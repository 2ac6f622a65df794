import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { formats } from '../contract/formats.js';

/** Creates an Ajv for seeds and control requests. It stops at the first error, the only one that is reported. */
export function newTestingAjv(): Ajv2020 {
  return new Ajv2020({ strict: false, verbose: true, ownProperties: true, formats });
}

/**
 * The first problem with `value`, such as `users[0].tokens[2].expiresAt must be ...`; undefined if it is valid. `whole` is
 * the name of the whole value in the message. The message quotes no values, because they can be secret.
 */
export function problemOf(validate: ValidateFunction, value: unknown, whole: string): string | undefined {
  if (validate(value)) return undefined;
  const [error] = validate.errors ?? [];
  return error === undefined ? `${whole} is not valid` : describe(error, whole);
}

/** Converts a JSON pointer such as `/users/0/name` to `users[0].name`. */
function placeOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replace(/~1/g, '/').replace(/~0/g, '~'))
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${segment}`))
    .join('')
    .replace(/^\./, '');
}

function describe(error: ErrorObject, whole: string): string {
  const { keyword, params, parentSchema, instancePath } = error as ErrorObject<string, Record<string, unknown>>;
  const place = placeOf(instancePath);
  const parent = place || whole;
  // Ajv reports an invalid property name as an error of the object that has it.
  const subject = error.propertyName === undefined ? parent : `${parent}: a name`;
  const member = (name: unknown) => `${place === '' ? '' : `${place}.`}${String(name)}`;
  switch (keyword) {
    case 'required':
      return `${member(params['missingProperty'])} is missing`;
    case 'additionalProperties': {
      const known = Object.keys((parentSchema?.['properties'] ?? {}) as object).join(', ');
      return `${member(params['additionalProperty'])} is not known${known === '' ? '' : `; known are ${known}`}`;
    }
    case 'type':
      return `${subject} must be ${[params['type']].flat().map(withArticle).join(' or ')}`;
    case 'enum':
      return `${subject} must be one of ${(params['allowedValues'] as unknown[]).map(String).join(', ')}`;
    case 'pattern':
      return `${subject} must be ${String(parentSchema?.['x-pattern-message'] ?? 'in the form that the schema defines')}`;
    case 'format':
      return `${subject} must be a valid ${String(params['format'])}`;
    case 'minLength':
    case 'maxLength':
      return `${subject} must have at ${keyword === 'minLength' ? 'least' : 'most'} ${String(params['limit'])} characters`;
    case 'maxItems':
    case 'maxProperties':
      return `${subject} must have at most ${String(params['limit'])} entries`;
    case 'minimum':
    case 'maximum':
      return `${subject} must be at ${keyword === 'minimum' ? 'least' : 'most'} ${String(params['limit'])}`;
    default:
      return `${subject} ${error.message ?? 'is not valid'}`;
  }
}

function withArticle(type: unknown): string {
  if (type === 'null') return 'null';
  return `${/^[aeiou]/.test(String(type)) ? 'an' : 'a'} ${String(type)}`;
}
