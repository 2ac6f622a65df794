// The parts of OpenAPI 3.1 that openapi.yaml uses.

export interface Document {
  info: { title: string; version: string; summary: string; description: string };
  tags: { name: string; description: string }[];
  security: Security[];
  paths: Record<string, PathItem>;
  webhooks: Record<string, PathItem>;
  components: {
    securitySchemes: Record<string, SecurityScheme>;
    parameters: Record<string, Parameter>;
    headers: Record<string, Header>;
    responses: Record<string, Response>;
    schemas: Record<string, Schema>;
    examples: Record<string, Example>;
  };
}

export interface Reference {
  $ref: string;
}

export type Security = Record<string, string[]>;

export interface SecurityScheme {
  type: string;
  scheme?: string;
  in?: string;
  name?: string;
  description: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type PathItem = { [Method in (typeof METHODS)[number]]?: Operation };

export interface Operation {
  operationId: string;
  tags?: string[];
  summary: string;
  description?: string;
  security?: Security[];
  parameters?: (Parameter | Reference)[];
  requestBody?: Body;
  responses: Record<string, Response | Reference>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required?: boolean;
  description?: string;
  example?: unknown;
  examples?: Record<string, Example | Reference>;
  schema: Schema;
}

export interface Header {
  required?: boolean;
  description: string;
  schema: Schema;
}

export interface Body {
  required?: boolean;
  description?: string;
  content: Record<string, Content>;
}

export interface Response {
  description: string;
  headers?: Record<string, Header | Reference>;
  content?: Record<string, Content>;
}

export interface Content {
  schema: Schema;
  examples?: Record<string, Example | Reference>;
}

export interface Example {
  summary?: string;
  value: unknown;
}

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  pattern?: string;
  'x-pattern-message'?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
}

/** An operation with the method and the path that it has. */
export interface Endpoint {
  method: string;
  path: string;
  operation: Operation;
}

/** The operations of `paths`, in the document's order. */
export function endpointsOf(paths: Record<string, PathItem>): Endpoint[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method: method.toUpperCase(), path, operation }];
    }),
  );
}

/** What `value` refers to, or `value` itself. */
export function resolve<Value extends object>(document: Document, value: Value | Reference): Value {
  if (!('$ref' in value) || typeof value.$ref !== 'string') return value as Value;
  let found: unknown = document;
  for (const name of value.$ref.slice('#/'.length).split('/')) {
    found = (found as Record<string, unknown> | undefined)?.[name];
  }
  if (found === undefined) throw new TypeError(`the document has nothing at ${value.$ref}`);
  return found as Value;
}

/** The name of the schema that `schema` refers to; undefined if it refers to none. */
export function nameOf({ $ref }: Schema): string | undefined {
  return $ref?.slice('#/components/schemas/'.length);
}

/** The answers of an operation, each with its status. */
export function answersOf(document: Document, { responses }: Operation): [status: string, Response][] {
  return Object.entries(responses).map(([status, response]) => [status, resolve(document, response)]);
}
