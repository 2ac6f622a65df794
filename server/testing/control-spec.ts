import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import { seedSchema } from './ready-seed.js';
import { newTestingAjv } from './schema.js';

/** An operation of `testing/openapi.yaml`. */
export interface ControlOperation {
  id: string;
  method: string;
  /** Matches the path. The group `id` is the path's parameter. */
  path: RegExp;
  status: number;
  mediaType: string | undefined;
  /** Validates the body; undefined if the operation has none. */
  validateBody: ValidateFunction | undefined;
  /** Validates the query, whose integers are already numbers. */
  validateQuery: ValidateFunction;
  /** Names of the query parameters that are integers. */
  integers: Set<string>;
}

export interface ControlSpec {
  yaml: string;
  operations: ControlOperation[];
}

interface SpecOperation {
  operationId: string;
  parameters?: { name: string; schema: { type: string } }[];
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

interface SpecDocument {
  paths: Record<string, Record<string, SpecOperation | unknown[]>>;
}

let spec: Promise<ControlSpec> | undefined;

/** Reads `testing/openapi.yaml` at the first call and caches it for the process. */
export function controlSpec(): Promise<ControlSpec> {
  return (spec ??= readControlSpec());
}

async function readControlSpec(): Promise<ControlSpec> {
  const { parse } = await import('yaml');
  const yaml = readFileSync(createRequire(import.meta.url).resolve('latchkey/testing/openapi.yaml'), 'utf8');
  const document = parse(yaml) as SpecDocument;
  const ajv = newTestingAjv();
  ajv.addSchema({ ...document, $id: 'control' });
  // `PUT /__testing/seed` refers to this schema by file name. Its handler validates the seed with better messages.
  ajv.addSchema(seedSchema(), 'seed.schema.json');

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]): ControlOperation[] => {
      if (Array.isArray(operation)) return [];
      const { operationId: id, parameters = [], requestBody, responses } = operation;
      const [status = ''] = Object.keys(responses);
      const ref = requestBody?.content['application/json'].schema.$ref;
      return [
        {
          id,
          method: method.toUpperCase(),
          path: new RegExp(`^${path.replaceAll('.', '\\.').replace('{id}', '(?<id>[^/]+)')}$`),
          status: Number(status),
          mediaType: Object.keys(responses[status]?.content ?? {})[0],
          validateBody: ref?.startsWith('#') === true ? ajv.compile({ $ref: `control${ref}` }) : undefined,
          validateQuery: ajv.compile({
            type: 'object',
            properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
            additionalProperties: false,
          }),
          integers: new Set(parameters.flatMap(({ name, schema }) => (schema.type === 'integer' ? [name] : []))),
        },
      ];
    }),
  );
  return { yaml, operations };
}
