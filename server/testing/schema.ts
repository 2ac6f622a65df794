import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { formats } from '../contract/formats.js';

/** An Ajv for the documents of testing: it stops at the first error, which is the one that is reported. */
export function newTestingAjv(): Ajv2020 {
  return new Ajv2020({ strict: false, verbose: true, ownProperties: true, formats });
}

/**
 * Why `value` does not fit, such as `users[0].tokens[2].expiresAt must be ...`; undefined where it does. `whole` is what
 * the value as a whole is called. No values are quoted, since they may be secret.
 */
export function misfit(validate: ValidateFunction, value: unknown, whole: string): string | undefined {
  if (validate(value)) return undefined;
  const [error] = validate.errors ?? [];
  return error === undefined ? `${whole} does not fit` : describe(error, whole);
}

/** `users[0].name` of the JSON pointer `/users/0/name`. */
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
  const holder = place || whole;
  // Ajv tells a name's fault as one of the object that has it.
  const subject = error.propertyName === undefined ? holder : `${holder}: a name`;
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
      return `${subject} must be ${String(parentSchema?.['x-pattern-message'] ?? 'of another form')}`;
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
      return `${subject} ${error.message ?? 'does not fit'}`;
  }
}

function withArticle(type: unknown): string {
  if (type === 'null') return 'null';
  return `${/^[aeiou]/.test(String(type)) ? 'an' : 'a'} ${String(type)}`;
}
