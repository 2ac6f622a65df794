import { describe, expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';

// Every place of a parameter x style x explode x type, written as the tables of OpenAPI (RFC 6570) have it.

const COLORS = ['blue', 'black', 'brown'];
const RGB = { R: 100, G: 200, B: 150 };
const integer = { type: 'integer' };
const SCHEMAS = {
  text: { type: 'string', const: 'blue' },
  integer: { type: 'integer', const: 5 },
  boolean: { type: 'boolean', const: true },
  array: { type: 'array', items: { type: 'string' }, const: COLORS },
  object: { type: 'object', properties: { R: integer, G: integer, B: integer }, const: RGB },
};
type Type = keyof typeof SCHEMAS;

/** What is on the wire: in the path, after the `?`, in the header X-Color or in the cookie. */
const TABLE: [place: string, style: string, explode: boolean, type: Type, wire: string][] = [
  ['path', 'simple', false, 'text', 'blue'],
  ['path', 'simple', false, 'integer', '5'],
  ['path', 'simple', false, 'boolean', 'true'],
  ['path', 'simple', false, 'array', 'blue,black,brown'],
  ['path', 'simple', false, 'object', 'R,100,G,200,B,150'],
  ['path', 'simple', true, 'array', 'blue,black,brown'],
  ['path', 'simple', true, 'object', 'R=100,G=200,B=150'],
  ['path', 'label', false, 'text', '.blue'],
  ['path', 'label', false, 'integer', '.5'],
  ['path', 'label', true, 'boolean', '.true'],
  ['path', 'label', true, 'array', '.blue.black.brown'],
  ['path', 'label', true, 'object', '.R=100.G=200.B=150'],
  ['path', 'matrix', false, 'text', ';color=blue'],
  ['path', 'matrix', false, 'integer', ';color=5'],
  ['path', 'matrix', true, 'boolean', ';color=true'],
  ['path', 'matrix', false, 'array', ';color=blue,black,brown'],
  ['path', 'matrix', false, 'object', ';color=R,100,G,200,B,150'],
  ['path', 'matrix', true, 'array', ';color=blue;color=black;color=brown'],
  ['path', 'matrix', true, 'object', ';R=100;G=200;B=150'],
  ['query', 'form', true, 'text', 'color=blue'],
  ['query', 'form', false, 'integer', 'color=5'],
  ['query', 'form', true, 'boolean', 'color=true'],
  ['query', 'form', false, 'array', 'color=blue,black,brown'],
  ['query', 'form', false, 'object', 'color=R,100,G,200,B,150'],
  ['query', 'form', true, 'array', 'color=blue&color=black&color=brown'],
  ['query', 'form', true, 'object', 'R=100&G=200&B=150'],
  ['query', 'spaceDelimited', false, 'array', 'color=blue%20black%20brown'],
  ['query', 'spaceDelimited', false, 'object', 'color=R%20100%20G%20200%20B%20150'],
  ['query', 'spaceDelimited', true, 'array', 'color=blue&color=black&color=brown'],
  ['query', 'pipeDelimited', false, 'array', 'color=blue%7Cblack%7Cbrown'],
  ['query', 'pipeDelimited', false, 'object', 'color=R%7C100%7CG%7C200%7CB%7C150'],
  ['query', 'pipeDelimited', true, 'array', 'color=blue&color=black&color=brown'],
  ['query', 'deepObject', true, 'object', 'color[R]=100&color[G]=200&color[B]=150'],
  ['header', 'simple', false, 'text', 'blue'],
  ['header', 'simple', false, 'integer', '5'],
  ['header', 'simple', true, 'boolean', 'true'],
  ['header', 'simple', false, 'array', 'blue,black,brown'],
  ['header', 'simple', false, 'object', 'R,100,G,200,B,150'],
  ['header', 'simple', true, 'array', 'blue,black,brown'],
  ['header', 'simple', true, 'object', 'R=100,G=200,B=150'],
  ['cookie', 'form', true, 'text', 'blue'],
  ['cookie', 'form', false, 'integer', '5'],
  ['cookie', 'form', true, 'boolean', 'true'],
];

/** A list in a cookie, and `label` without explode, have two forms in the versions of the standard: no verdict on them. */
const OPEN: typeof TABLE = [
  ['cookie', 'form', false, 'array', ''],
  ['cookie', 'form', true, 'array', ''],
  ['cookie', 'form', false, 'object', ''],
  ['cookie', 'form', true, 'object', ''],
  ['path', 'label', false, 'array', ''],
  ['path', 'label', false, 'object', ''],
];

/** Of a plain value every style has one form, whatever `explode` says; what stands before it in the place. */
const PLAIN: [place: string, style: string, before: string][] = [
  ['path', 'simple', ''],
  ['path', 'label', '.'],
  ['path', 'matrix', ';color='],
  ['query', 'form', 'color='],
  ['header', 'simple', ''],
  ['cookie', 'form', ''],
];
const TEXTS = { text: 'blue', integer: '5', boolean: 'true' };
const isListed = (row: (typeof TABLE)[number]) =>
  TABLE.some((other) => row.slice(0, 4).every((cell, index) => cell === other[index]));
const plain = PLAIN.flatMap(([place, style, before]) =>
  [false, true].flatMap((explode) =>
    Object.entries(TEXTS).map(([type, text]): (typeof TABLE)[number] => {
      return [place, style, explode, type as Type, `${before}${text}`];
    }),
  ),
).filter((row) => !isListed(row));

const cases = [...TABLE, ...plain].map(([place, style, explode, type, wire]) => ({
  place,
  style,
  explode,
  type,
  wire,
}));

function painting(place: string, style: string, explode: boolean, type: Type) {
  const name = place === 'header' ? 'X-Color' : 'color';
  const parameter = { name, in: place, required: true, style, explode, schema: SCHEMAS[type] };
  const responses = { 200: body({}), 400: body({}), 404: body({}) };
  const path = place === 'path' ? '/paint/{color}' : '/paint';
  const paths = { [path]: { get: { operationId: 'paint', parameters: [parameter], responses } } };
  return { ...document(paths), openapi: '3.1.0' };
}

type Sent = Parameters<Parameters<typeof tested>[1]>[0];

function wireOf(place: string, { path, rawQuery, headers }: Sent): string | undefined {
  if (place === 'path') return path.slice('/paint/'.length);
  if (place === 'query') return rawQuery;
  if (place === 'header') return [headers['x-color']].flat()[0];
  return /(?:^|; )color=([^;]*)/.exec(headers.cookie ?? '')?.[1];
}

const strict = (place: string, wire: string) => (request: Sent) =>
  wireOf(place, request) === wire ? { status: 200, body: {} } : { status: 400, body: {} };

describe('a server that reads the style right is not blamed, and one that does not is', { concurrent: true }, () => {
  test.each(cases)(
    '$place, $style, explode $explode: $type is $wire',
    async ({ place, style, explode, type, wire }) => {
      const spec = painting(place, style, explode, type);
      const right = await tested(spec, strict(place, wire), { fuzzRuns: 5 });
      expect(right.failures, toSummary(right)).toEqual([]);
      expect(right.complete, toSummary(right)).toBe(true);
      const wrong = await tested(spec, strict(place, `${wire}x`), { fuzzRuns: 5 });
      expect(wrong.failures.map(({ check }) => check)).toContain('acceptance');
    },
  );

  test.each(OPEN)('%s, %s, explode %s: an %s has no one form', async (place, style, explode, type) => {
    const spec = painting(place, style, explode, type);
    const refusing = await tested(spec, () => ({ status: 400, body: {} }), { fuzzRuns: 5 });
    expect(refusing.failures).toEqual([]);
    expect(refusing.untested[0]?.reason).toMatch(/no valid request could be made/);
  });
});

test.each([
  ['query', `color=${encodeURIComponent(JSON.stringify(RGB))}`],
  ['path', encodeURIComponent(JSON.stringify(RGB))],
  ['header', JSON.stringify(RGB)],
])('a parameter with content is JSON: in the %s', async (place, wire) => {
  const content = { 'application/json': { schema: { type: 'object', const: RGB } } };
  const parameters = [{ name: place === 'header' ? 'X-Color' : 'color', in: place, required: true, content }];
  const responses = { 200: body({}), 400: body({}), 404: body({}) };
  const paths = {
    [place === 'path' ? '/paint/{color}' : '/paint']: { get: { operationId: 'paint', parameters, responses } },
  };
  const spec = { ...document(paths), openapi: '3.1.0' };
  const right = await tested(spec, strict(place, wire), { fuzzRuns: 5 });
  expect(right.failures, toSummary(right)).toEqual([]);
  expect(right.complete, toSummary(right)).toBe(true);
  const wrong = await tested(spec, strict(place, `${wire}x`), { fuzzRuns: 5 });
  expect(wrong.failures.map(({ check }) => check)).toContain('acceptance');
});

test('reserved characters stand for themselves where the parameter allows that', async () => {
  const parameters = [
    { name: 'at', in: 'query', required: true, allowReserved: true, schema: { type: 'string', enum: ['/a:b?c'] } },
  ];
  const paths = {
    '/paint': { get: { operationId: 'paint', parameters, responses: { 200: body({}), 400: body({}) } } },
  };
  const right = await tested(document(paths), strict('query', 'at=/a:b?c'));
  expect(right.failures, toSummary(right)).toEqual([]);
  expect(right.complete).toBe(true);
});

test.each([
  ['anyOf with null', { anyOf: [{ type: 'integer', minimum: 1, maximum: 9 }, { type: 'null' }] }],
  ['several types', { type: ['integer', 'null'], minimum: 1, maximum: 9 }],
  ['a reference', { allOf: [{ $ref: '#/components/schemas/Digit' }] }],
])('an integer is an integer behind %s', async (_, schema) => {
  const parameters = [{ name: 'digit', in: 'query', required: true, schema }];
  const paths = {
    '/paint': { get: { operationId: 'paint', parameters, responses: { 200: body({}), 400: body({}) } } },
  };
  const spec = {
    ...document(paths, { schemas: { Digit: { type: 'integer', minimum: 1, maximum: 9 } } }),
    openapi: '3.1.0',
  };
  const digits =
    (pattern: RegExp) =>
    ({ rawQuery }: Sent) =>
      pattern.test(rawQuery) ? { status: 200, body: {} } : { status: 400, body: {} };
  const right = await tested(spec, digits(/^digit=[1-9]$/), { fuzzRuns: 10 });
  expect(right.failures, toSummary(right)).toEqual([]);
  const wide = await tested(spec, digits(/^digit=\d+$/), { fuzzRuns: 10 });
  expect(wide.failures.map(({ check }) => check)).toContain('refusal');
});
