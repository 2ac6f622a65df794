import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type Document, OpenAPIBackend, type Operation as SpecOperation, ValidationContext } from 'openapi-backend';
import type { HEADERS } from '../../generated/operations.js';
import type { Surface } from '../errors.js';
import { answerFormats, formats } from './formats.js';

/** The contract, found through the package's own exports, so that sources, `dist` and the packed package agree. */
const { resolve } = createRequire(import.meta.url);
export const openApi = JSON.parse(readFileSync(resolve('latchkey/openapi.json'), 'utf8')) as Document;

/** As it is written, comments included. */
export function readOpenApiYaml(): string {
  return (openApiYaml ??= readFileSync(resolve('latchkey/openapi.yaml'), 'utf8'));
}

let openApiYaml: string | undefined;

export const JSON_TYPE = 'application/json; charset=utf-8';

/** An operation of the contract, made ready once: nothing about it is matched, parsed or compiled per request. */
export interface Operation {
  id: string;
  method: string;
  /** The path template, as in the contract: `/api/v1/access-tokens/{token_id}`. */
  path: string;
  surface: Surface;
  /** The security schemes of which one is needed; empty where no credential is. */
  schemes: ReadonlySet<string>;
  /** The scopes that its caller needs, all of them. */
  scopes: string[];
  /** What its body is, undefined where it has none. */
  body: { form: boolean; required: boolean } | undefined;
  /** The request headers that it takes, in lower case. */
  headers: (typeof HEADERS)[number][];
  /** The status of its one success. */
  status: number;
  /** The `Content-Type` of its success; undefined where it has no body. */
  contentType: string | undefined;
  /** Turns `text` into what the parameter's schema says it looks like; other text stays, for the validator to refuse. */
  coerce(place: 'path' | 'query', name: string, text: string): unknown;
  /** Writes defaults into `request` and gives what is wrong with it. Its validators are compiled at its first call. */
  validate(request: ValidatedRequest): ErrorObject[];
  /** Why an answer that `has` these headers, named as in the contract, breaks it; undefined where it holds. */
  checkAnswer(status: number, body: unknown, has: (header: string) => boolean): string | undefined;
}

export interface ValidatedRequest {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  /** By their names in lower case. */
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
  /** Those that it must have. */
  headers: string[];
  hasBody: boolean;
  /** Null where its body is not JSON. */
  validate: ValidateFunction | null;
}

let operations: Promise<Operation[]> | undefined;

/**
 * The contract's operations, as openapi-backend reads them: once in a process, since they keep nothing of any server but
 * the validators that they compile.
 */
export function readOperations(): Promise<Operation[]> {
  return (operations ??= makeOperations());
}

async function makeOperations(): Promise<Operation[]> {
  let ofRequests: Ajv | undefined;
  let ofAnswers: Ajv | undefined;
  const api = new OpenAPIBackend({
    definition: openApi,
    // Its own check of the document knows OpenAPI 3.0 only. With `quick` it also compiles validators at their first use.
    quick: true,
    strict: true,
    ignoreTrailingSlashes: false,
    // It asks for an Ajv for each validator, draft-07 and with JavaScript's coercion: one shared 2020 instance serves.
    customizeAjv: (_ajv, _options, context) =>
      context === ValidationContext.Response ? (ofAnswers ??= answerAjv()) : (ofRequests ??= requestAjv()),
  });
  await api.init();
  return api.router.getOperations().map((operation) => toOperation(api, operation));
}

const COMMON = {
  strict: false,
  // `check` holds the contract against the meta-schema, which takes longer to compile than all that a first request needs.
  validateSchema: false,
  meta: false,
} as const;

/** No coercion: path and query are coerced strictly before, and a body says what it means. */
function requestAjv(): Ajv {
  return asAjv(
    new Ajv2020({ ...COMMON, formats, allErrors: true, verbose: true, useDefaults: true, ownProperties: true }),
  );
}

/** The first fault is enough, and our own objects have no members but their own. */
function answerAjv(): Ajv {
  return asAjv(new Ajv2020({ ...COMMON, formats: answerFormats }));
}

/** The two classes share all that openapi-backend uses; they differ in the JSON Schema version they start with. */
function asAjv(ajv: Ajv2020): Ajv {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  return ajv;
}

function toOperation(api: OpenAPIBackend, spec: SpecOperation): Operation {
  const id = spec.operationId;
  if (id === undefined) throw new TypeError(`${spec.method} ${spec.path} has no operationId`);
  const responses = spec.responses as unknown as Record<string, SpecResponse>;
  const successes = Object.keys(responses).filter((status) => status.startsWith('2'));
  const [success] = successes;
  if (success === undefined || successes.length > 1) throw new TypeError(`${id} needs exactly one 2xx answer`);
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

/** The path alone decides in which shape an operation states its errors. */
function surfaceOf({ path }: SpecOperation): Surface {
  if (path.startsWith('/oauth/')) return 'oauth';
  return path.startsWith('/api/v1/auth/') && path.endsWith('/') ? 'private tokens' : 'access tokens';
}

/** The status with which each surface answers bad input. */
const BAD_INPUT: Record<Surface, string> = { 'private tokens': '400', 'access tokens': '422', oauth: '400' };

function bodyOf({ requestBody }: SpecOperation): Operation['body'] {
  if (requestBody === undefined) return undefined;
  const { content, required = false } = requestBody as { content: object; required?: boolean };
  return { form: !('application/json' in content), required };
}

/** Paths and keywords alone: the values may be secret. */
function answerErrors({ errors }: ValidateFunction): string {
  return (errors ?? []).map(({ instancePath, keyword }) => `${instancePath || '/'} ${keyword}`).join(', ');
}

function coerce(type: string | undefined, text: string): unknown {
  if (type === 'integer' && /^-?[0-9]+$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
