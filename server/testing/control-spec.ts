import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import { seedSchema } from './ready-seed.js';
import { newTestingAjv } from './schema.js';

/** An operation of the control's own small contract, `testing/openapi.yaml`. */
export interface ControlOperation {
  id: string;
  method: string;
  /** Matches the path; its group `id` is the path's parameter. */
  path: RegExp;
  status: number;
  mediaType: string | undefined;
  /** Judges the body; undefined where there is none. */
  validateBody: ValidateFunction | undefined;
  /** Judges the query, its integers already numbers. */
  validateQuery: ValidateFunction;
  /** The query's parameters that are integers. */
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

/** Read when somebody first asks for it, and once in a process. */
export function controlSpec(): Promise<ControlSpec> {
  return (spec ??= readControlSpec());
}

async function readControlSpec(): Promise<ControlSpec> {
  const { parse } = await import('yaml');
  const yaml = readFileSync(createRequire(import.meta.url).resolve('latchkey/testing/openapi.yaml'), 'utf8');
  const document = parse(yaml) as SpecDocument;
  const ajv = newTestingAjv();
  ajv.addSchema({ ...document, $id: 'control' });
  // `PUT /__testing/seed` refers to it by its file's name. What is wrong with a seed, reading it says.
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
