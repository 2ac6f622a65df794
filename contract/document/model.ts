import type { Json, JsonObject } from './json.js';
import type { Direction, Reading } from './normalise.js';
import type { Schema } from './schema.js';

/** An OpenAPI document, read once: its operations, and the document in both directions for the judge. */
export interface Spec {
  title: string;
  version: string;
  openapi: string;
  /** Schemas restated in 2020-12, as requests see them. */
  requests: JsonObject;
  /** The same, as answers see them. */
  answers: JsonObject;
  /** The schemas alone, as the validator compiles them. */
  skeletons: Record<Direction, Record<Reading, JsonObject>>;
  /** Why operations cannot be tested, by their ids: a schema that they need means nothing. */
  broken: Map<string, string>;
  /** What stands before every path, by the servers of the document; none where one of them has nothing before it. */
  basePaths: string[];
  /** What is left open of it because the standard has no meaning for it, a line for each kind. */
  remarks: string[];
  /** The operations that may be called. */
  operations: Operation[];
  /** Those that are never called, by the wish of the run. */
  leftOut: Operation[];
  schemes: Map<string, SecurityScheme>;
}

export interface Operation {
  /** Its operationId, or `GET /path` where it has none. */
  id: string;
  method: string;
  /** The path template. */
  path: string;
  tags: string[];
  parameters: Parameter[];
  /** The body that cases are made with. */
  body: RequestBody | undefined;
  /** All that it takes, one for each media type. */
  bodies: RequestBody[];
  answers: AnswerSpec[];
  /** The ways to authenticate, any of which is enough; an empty list of schemes means that none is needed. */
  security: string[][];
  /** The scopes that each of these ways asks for, in the same order. */
  scopes: string[][];
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required: boolean;
  schema: Schema;
  /** Where its schema stands in the document; undefined where it has none. */
  pointer: string | undefined;
  style: 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';
  explode: boolean;
  /** Whether reserved characters stand for themselves. */
  allowReserved: boolean;
  /** How it is written: by its style, or, where it has `content` instead of `schema`, as JSON or as it is. */
  kind: 'styled' | 'json' | 'text';
  examples: Json[];
}

export interface RequestBody {
  required: boolean;
  /** The media type that cases are made in. */
  mediaType: string;
  /** All media types that the operation takes, as they are written. */
  mediaTypes: string[];
  kind: 'json' | 'form' | 'multipart' | 'text' | 'xml' | 'binary';
  schema: Schema;
  pointer: string | undefined;
  /** What the references in the schema are in. */
  document: JsonObject;
  /** How the members of a form are written, where the document says so. */
  encodings: Record<string, Encoding>;
  examples: { name: string; value: Json }[];
}

export interface Encoding {
  /** A media type, or several with commas between. */
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
  /** Whether its value is JSON text. */
  json: boolean;
  explode: boolean;
  schema: Schema;
  pointer: string | undefined;
}

export interface Link {
  name: string;
  operationId: string;
  /** The target's parameters by runtime expressions, such as `$response.body#/id`. */
  parameters: Record<string, Json>;
  requestBody: Json | undefined;
}

export interface SecurityScheme {
  name: string;
  kind: 'bearer' | 'basic' | 'header' | 'query' | 'cookie' | 'unsupported';
  /** The header's, parameter's or cookie's name. */
  field: string;
}

/** The answer that an operation documents for a status: exact, then by its class, then the default. */
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

/** Whether a call may change something. */
export function isUnsafe({ method }: Pick<Operation, 'method'>): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

export function isSecured({ security }: Operation): boolean {
  return security.length > 0 && security.every((schemes) => schemes.length > 0);
}
