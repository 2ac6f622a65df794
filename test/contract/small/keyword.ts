import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { SmallReply, SmallRequest } from '../planted/small.js';
import { body, document } from './document.js';

/** A keyword in a schema, and what the schema would be without it. */
export interface KeywordCase {
  schema: object;
  /** The schema but for the keyword: what it lets pass is wrong in the keyword alone. */
  without: object;
  /** Answers that keep the keyword, and one that breaks nothing else. */
  right: unknown;
  wrong: unknown;
  /** A schema that allows less than the keyword does; a server that goes by it refuses what it has to accept. */
  narrower?: object;
  /** Other schemas that these refer to. */
  others?: Record<string, object>;
}

/** A member of a body in the schema, and of an answer. */
export function documentOf(schema: object, others: Record<string, object> = {}, openapi = '3.1.0') {
  const thing = {
    type: 'object',
    required: ['v'],
    properties: { v: { $ref: '#/components/schemas/V' } },
    additionalProperties: false,
  };
  const paths = {
    '/v': {
      post: {
        operationId: 'put',
        requestBody: { required: true, ...body(thing) },
        responses: { 200: body(thing), 400: body({}), 405: { description: 'no' } },
      },
    },
  };
  return { ...document(paths, { schemas: { V: schema, ...others } }), openapi };
}

/** Whether a value fits a schema, by an Ajv that the contract tests know nothing of. */
export function judgeOf(schema: object, others: Record<string, object> = {}): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, validateSchema: false });
  addFormats.default(ajv);
  // It also takes `urn:uuid:` and a space before the time, which OpenAPI's registry of formats does not.
  ajv.addFormat('uuid', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i);
  const lenient = ajv.formats['date-time'] as { validate: (text: string) => boolean };
  ajv.addFormat('date-time', (text: string) => text[10]?.toUpperCase() === 'T' && lenient.validate(text));
  ajv.addSchema({ components: { schemas: { V: schema, ...others } } }, 'the-document');
  const validate = ajv.compile({ $ref: 'the-document#/components/schemas/V' });
  return (value) => validate(value);
}

/** A server that takes the values that `fits` lets pass, and keeps them in `taken`. */
export function taking(fits: (value: unknown) => boolean, answer: unknown, taken: unknown[] = []) {
  return ({ body: sent, type }: SmallRequest): SmallReply => {
    const value = type.toLowerCase().startsWith('application/json') ? parsed(sent) : undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { status: 400, body: {} };
    const isKnown = Object.keys(value).join() === 'v';
    if (!isKnown || !fits((value as { v: unknown }).v)) return { status: 400, body: {} };
    taken.push((value as { v: unknown }).v);
    return { status: 200, body: { v: answer } };
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
