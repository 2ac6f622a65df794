import type { Json, JsonObject } from './json.js';
import type { Direction, Reading } from './normalise.js';
import type { Schema } from './schema.js';

/** An OpenAPI document, prepared for a run. */
export interface Spec {
  title: string;
  version: string;
  openapi: string;
  /** The document with schemas for requests, in JSON Schema 2020-12. */
  requests: JsonObject;
  /** The document with schemas for answers, in JSON Schema 2020-12. */
  answers: JsonObject;
  /** Only the schemas, which the validator compiles. */
  skeletons: Record<Direction, Record<Reading, JsonObject>>;
  /** Operations that cannot be tested because a schema is invalid: the reason by operation id. */
  broken: Map<string, string>;
  /** The base paths of the document's servers; empty if one of them has no base path. */
  basePaths: string[];
  /** What is not validated because the standard does not define it, one line for each kind. */
  remarks: string[];
  /** The operations that the run may call. */
  operations: Operation[];
  /** The operations of the option `leaveOut`, or of `x-contract-leave-out`, which the run never calls. */
  leftOut: Operation[];
  schemes: Map<string, SecurityScheme>;
}

export interface Operation {
  /** The operationId, or `METHOD /path` if there is none. */
  id: string;
  method: string;
  /** The path template. */
  path: string;
  /** Why a run leaves the operation out, by its `x-contract-leave-out`; undefined if it does not. */
  leaveOut: string | undefined;
  tags: string[];
  parameters: Parameter[];
  /** The groups of query parameters of which a request has one at most. */
  exclusives: string[][];
  /** The body that requests are generated with. */
  body: RequestBody | undefined;
  /** All bodies that the operation accepts, one for each media type. */
  bodies: RequestBody[];
  answers: AnswerSpec[];
  /** Alternative lists of security schemes; one list is enough. An empty list means that no credential is needed. */
  security: string[][];
  /** The scopes that each alternative of `security` requires, in the same order. */
  scopes: string[][];
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required: boolean;
  schema: Schema;
  /** The JSON pointer of its schema; undefined if it has none. */
  pointer: string | undefined;
  style: 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';
  explode: boolean;
  /** Whether reserved characters are not percent-encoded. */
  allowReserved: boolean;
  /** The encoding: by `style`, or, if the parameter has `content` instead of `schema`, as JSON or plain text. */
  kind: 'styled' | 'json' | 'text';
  /** What the document says of it in words. */
  description: string;
  examples: Json[];
}

export interface RequestBody {
  required: boolean;
  /** The media type that requests are generated in. */
  mediaType: string;
  /** All media types that the operation accepts, as the document writes them. */
  mediaTypes: string[];
  kind: 'json' | 'form' | 'multipart' | 'text' | 'xml' | 'binary';
  schema: Schema;
  pointer: string | undefined;
  /** The document that contains the schema and what it refers to. */
  document: JsonObject;
  /** The encodings that the document sets for members of a form. */
  encodings: Record<string, Encoding>;
  examples: { name: string; value: Json }[];
}

export interface Encoding {
  /** A media type, or several separated by commas. */
  contentType: string | undefined;
  style: 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject' | undefined;
  explode: boolean;
}

export interface AnswerSpec {
  /** `200`, `2XX` or `default`. */
  status: string;
  headers: AnswerHeader[];
  content: { mediaType: string; schema: Schema; pointer: string | undefined }[];
  links: Link[];
}

export interface AnswerHeader {
  name: string;
  required: boolean;
  /** Whether the value is JSON. */
  json: boolean;
  explode: boolean;
  schema: Schema;
  pointer: string | undefined;
}

export interface Link {
  name: string;
  operationId: string;
  /** Runtime expressions such as `$response.body#/id`, by the name of the target's parameter. */
  parameters: Record<string, Json>;
  requestBody: Json | undefined;
}

export interface SecurityScheme {
  name: string;
  kind: 'bearer' | 'basic' | 'header' | 'query' | 'cookie' | 'unsupported';
  /** The name of the header, query parameter or cookie. */
  field: string;
}

/** The documented answer for a status: the exact status, else its class, else `default`; undefined if there is none. */
export function answerFor({ answers }: Operation, status: number): AnswerSpec | undefined {
  const text = String(status);
  return (
    answers.find((answer) => answer.status === text) ??
    answers.find((answer) => answer.status.toUpperCase() === `${text.charAt(0)}XX`) ??
    answers.find((answer) => answer.status === 'default')
  );
}

export function successOf({ answers }: Operation): AnswerSpec | undefined {
  return answers.find(({ status }) => status.startsWith('2'));
}

/** Whether a call may change something, by its method. */
export function isUnsafe({ method }: Pick<Operation, 'method'>): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

export function isSecured({ security }: Operation): boolean {
  return security.length > 0 && security.every((schemes) => schemes.length > 0);
}
