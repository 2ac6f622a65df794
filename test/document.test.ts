import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';

// What others make of the document alone: mocks, docs and clients know no server to ask.

interface Header {
  required?: boolean;
  example?: unknown;
  schema: object;
}
interface Reference {
  $ref: string;
}
interface Answering {
  headers?: Record<string, Header | Reference>;
}

const spec = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, Answering | Reference> }>>;
};
const ajv = new Ajv2020({ strict: false });
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);

function resolve<T extends object>(value: T | Reference): T {
  if (!('$ref' in value)) return value;
  const path = value.$ref.slice(2).split('/');
  return path.reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], spec) as T;
}

const HEADERS = Object.values(spec.paths)
  .flatMap((item) => Object.values(item))
  .filter((operation) => 'responses' in operation)
  .flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, answering]) =>
      Object.entries(resolve(answering).headers ?? {}).map(
        ([name, header]) => [`${operationId} ${status} ${name}`, resolve(header)] as const,
      ),
    ),
  );

test('every header of every answer has an example that fits it', () => {
  expect(HEADERS.length).toBeGreaterThan(200);
  const unfit = HEADERS.filter(([, { example, schema }]) => !ajv.validate(schema, example));
  expect(unfit.map(([place]) => place)).toEqual([]);
});

test('an answer of 201 that says where the new thing is shows it', () => {
  const locations = HEADERS.filter(([place]) => place.endsWith(' 201 Location'));
  expect(locations.map(([, { required, example }]) => [required, example])).toEqual([
    [true, '/api/v1/access-tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b'],
    [true, '/api/v1/users/2'],
    [true, '/api/v1/users/7'],
    [true, '/api/v1/users/external/cus_42'],
    [true, '/api/v1/webhooks/01983f0d-52c4-7e10-8d11-7a90b2c3d4e5'],
  ]);
});
