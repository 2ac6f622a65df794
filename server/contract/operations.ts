import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type Document, OpenAPIBackend, type Operation as SpecOperation, ValidationContext } from 'openapi-backend';
import type { HEADERS } from '../../generated/operations.js';
import type { Surface } from '../errors.js';
import { answerFormats, formats } from './formats.js';

// The files of the contract are found by the package's own exports, so that the sources, `dist` and the packed package
// all find them.
const { resolve } = createRequire(import.meta.url);
/** The contract, as parsed JSON. */
export const openApi = JSON.parse(readFileSync(resolve('latchkey/openapi.json'), 'utf8')) as Document;

/** Returns the text of openapi.yaml, with its comments. */
export function readOpenApiYaml(): string {
  return (openApiYaml ??= readFileSync(resolve('latchkey/openapi.yaml'), 'utf8'));
}

let openApiYaml: string | undefined;

export const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * An operation of the contract. Each operation is read once for all requests. The validators of input are compiled at
 * the first call of `validate`, and the validator of an answer at the first `checkAnswer` with its status.
 */
export interface Operation {
  id: string;
  method: string;
  /** The path template, as in the contract: `/api/v1/access-tokens/{token_id}`. */
  path: string;
  surface: Surface;
  /** The security schemes. A request needs one of them, or no credential if the set is empty. */
  schemes: ReadonlySet<string>;
  /** The scopes that the caller needs, all of them. */
  scopes: string[];
  /** Whether the body is a form or JSON, and whether the body is required; undefined if the operation takes no body. */
  body: { form: boolean; required: boolean } | undefined;
  /** The names of the request headers that the operation takes, in lower case. */
  headers: (typeof HEADERS)[number][];
  /** The status of a successful answer, unless the handler gives another one of the contract; the lowest. */
  status: number;
  /** The `Content-Type` of a successful answer; undefined if that answer has no body. */
  contentType: string | undefined;
  /**
   * Converts `text` to the type in the parameter's schema. Returns text of another form unchanged; `validate` then
   * rejects this text.
   */
  coerce(place: 'path' | 'query', name: string, text: string): unknown;
  /** Adds the defaults to `request` and returns the errors in `request`; empty if the request is valid. */
  validate(request: ValidatedRequest): ErrorObject[];
  /**
   * Describes how an answer breaks the contract; undefined for a correct answer. `has` tells whether the answer has a
   * header.
   */
  checkAnswer(status: number, body: unknown, has: (header: string) => boolean): string | undefined;
}

export interface ValidatedRequest {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  /** The values of the headers by name, in lower case. */
  header: Readonly<Record<string, string>>;
  requestBody?: unknown;
}

interface SpecParameter {
  name: string;
  in: string;
  schema: { type?: string; default?: unknown };
}

interface SpecResponse {
  headers?: Record<string, { required?: boolean }>;
  content?: Record<string, unknown>;
}

interface DocumentedAnswer {
  /** The names of the required headers. */
  headers: string[];
  hasBody: boolean;
  /** Null if the answer's body is not JSON. */
  validate: ValidateFunction | null;
}

let operations: Promise<Operation[]> | undefined;

/** Reads the operations of the contract with openapi-backend, once for all servers of the process. */
export function readOperations(): Promise<Operation[]> {
  return (operations ??= makeOperations());
}

async function makeOperations(): Promise<Operation[]> {
  let ofRequests: Ajv | undefined;
  let ofAnswers: Ajv | undefined;
  const api = new OpenAPIBackend({
    definition: openApi,
    // `quick` skips the check of the document, which knows only OpenAPI 3.0, and compiles validators at their first
    // use.
    quick: true,
    strict: true,
    ignoreTrailingSlashes: false,
    // It would create a draft-07 Ajv with JavaScript's coercion for each validator; all share one of 2020 instead.
    customizeAjv: (_ajv, _options, context) =>
      context === ValidationContext.Response ? (ofAnswers ??= answerAjv()) : (ofRequests ??= requestAjv()),
  });
  await api.init();
  return api.router.getOperations().map((operation) => toOperation(api, operation));
}

const COMMON = {
  strict: false,
  // Ajv need not validate the schemas: `npm run check` validates the contract. Compiling the meta-schema would take
  // longer than a whole first request.
  validateSchema: false,
  meta: false,
} as const;

/** Creates Ajv for requests, without conversion of types: `coerce` has converted path and query, and JSON has types. */
function requestAjv(): Ajv {
  return asAjv(
    new Ajv2020({ ...COMMON, formats, allErrors: true, verbose: true, useDefaults: true, ownProperties: true }),
  );
}

/** Creates Ajv for our own answers, which stops at the first error: one error is enough for the log. */
function answerAjv(): Ajv {
  return asAjv(new Ajv2020({ ...COMMON, formats: answerFormats }));
}

/** openapi-backend expects the class `Ajv`. `Ajv2020` differs from `Ajv` only in the default version of JSON Schema. */
function asAjv(ajv: Ajv2020): Ajv {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  return ajv;
}

function toOperation(api: OpenAPIBackend, spec: SpecOperation): Operation {
  const id = spec.operationId;
  if (id === undefined) throw new TypeError(`${spec.method} ${spec.path} has no operationId`);
  const responses = spec.responses as unknown as Record<string, SpecResponse>;
  // The keys of an object that are integers are in their order.
  const success = Object.keys(responses).find((status) => status.startsWith('2'));
  if (success === undefined) throw new TypeError(`${id} needs a 2xx answer`);
  const parameters = (spec.parameters ?? []) as SpecParameter[];
  const types = new Map(parameters.map(({ in: place, name, schema }) => [`${place} ${name}`, schema.type]));

  const takesNothing = parameters.length === 0 && spec.requestBody === undefined;
  const surface = surfaceOf(spec);
  if (!takesNothing && !(BAD_INPUT[surface] in responses)) {
    throw new TypeError(`${id} takes input, and needs an answer with status ${BAD_INPUT[surface]} for bad input`);
  }

  const answers: Record<number, DocumentedAnswer | undefined> = {};
  const toAnswer = (status: number): DocumentedAnswer | undefined => {
    const response = responses[String(status)];
    if (response === undefined) return undefined;
    const headers = Object.entries(response.headers ?? {}).flatMap(([name, header]) => (header.required ? [name] : []));
    const isJson = response.content !== undefined && 'application/json' in response.content;
    const validators = isJson ? api.validator.getStatusBasedResponseValidatorForOperation(id) : {};
    const validate = (validators[String(status)] as ValidateFunction | undefined) ?? null;
    if (isJson && validate === null) throw new TypeError(`${id} has no schema for status ${String(status)}`);
    return { headers, hasBody: response.content !== undefined, validate };
  };

  return {
    id,
    method: spec.method,
    path: spec.path,
    surface,
    schemes: new Set((spec.security ?? []).flatMap((scheme) => Object.keys(scheme))),
    scopes: [...new Set((spec.security ?? []).flatMap((scheme) => Object.values(scheme).flat()))],
    body: bodyOf(spec),
    headers: parameters.flatMap(({ in: place, name }) =>
      place === 'header' ? [name.toLowerCase() as Operation['headers'][number]] : [],
    ),
    status: Number(success),
    contentType: contentTypeOf(Object.keys(responses[success]?.content ?? {})[0]),
    coerce: (place, name, text) => coerce(types.get(`${place} ${name}`), text),
    validate(request) {
      if (takesNothing && Object.keys(request.query).length === 0) return [];
      const validators = api.validator.getRequestValidatorsForOperation(id);
      return validators.flatMap((validate) => (validate(request) ? [] : (validate.errors ?? [])));
    },
    checkAnswer(status, body, has) {
      const answer = (answers[status] ??= toAnswer(status));
      if (answer === undefined) return `${id} does not document status ${String(status)}`;
      const missing = answer.headers.find((name) => !has(name));
      if (missing !== undefined) return `${id} misses header ${missing}`;
      if (!answer.hasBody) return body === undefined ? undefined : `${id} has a body with ${String(status)}`;
      if (answer.validate === null || answer.validate(body)) return undefined;
      return `${id} ${String(status)}: ${answerErrors(answer.validate)}`;
    },
  };
}

function contentTypeOf(mediaType: string | undefined): string | undefined {
  return mediaType === 'application/json' ? JSON_TYPE : mediaType;
}

/** Returns the part of the contract to which an operation belongs. Only the operation's path decides. */
function surfaceOf({ path }: SpecOperation): Surface {
  if (path.startsWith('/oauth/')) return 'oauth';
  return path.startsWith('/api/v1/auth/') && path.endsWith('/') ? 'private tokens' : 'access tokens';
}

/** The status of an answer to bad input on each surface. */
const BAD_INPUT: Record<Surface, string> = { 'private tokens': '400', 'access tokens': '422', oauth: '400' };

function bodyOf({ requestBody }: SpecOperation): Operation['body'] {
  if (requestBody === undefined) return undefined;
  const { content, required = false } = requestBody as { content: object; required?: boolean };
  return { form: !('application/json' in content), required };
}

/** Describes the errors of a validator by paths and keywords, without values, because a value may be secret. */
function answerErrors({ errors }: ValidateFunction): string {
  return (errors ?? []).map(({ instancePath, keyword }) => `${instancePath || '/'} ${keyword}`).join(', ');
}

function coerce(type: string | undefined, text: string): unknown {
  if (type === 'integer' && /^-?[0-9]+$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
