import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { toSummary } from '../../contract/index.js';
import { body, document, tested } from './small/document.js';
import { isInteger, object, taker, taking, teller, telling, testReadings, type Value } from './small/reading.js';

// Schemas that are easily misread.

const cat = object(['kind', 'lives'], { kind: { type: 'string' }, lives: { type: 'integer', minimum: 1, maximum: 9 } });
const dog = object(['kind', 'barks'], { kind: { type: 'string' }, barks: { type: 'boolean' } });
const isCat = ({ lives }: Value) => isInteger(lives) && lives >= 1 && lives <= 9;
const isDog = ({ barks }: Value) => typeof barks === 'boolean';
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const pet = object(['kind'], { kind: { type: 'string' } }, { discriminator: { propertyName: 'kind' } });
const heirs = {
  Pet: pet,
  Cat: { allOf: [ref('Pet'), object(['lives'], { lives: { type: 'integer', minimum: 1, maximum: 9 } })] },
  Dog: { allOf: [ref('Pet'), object(['barks'], { barks: { type: 'boolean' } })] },
};

const whole = object(['n'], { n: { type: 'integer', minimum: 0, maximum: 18014398509481983 } });
const letters = (pattern: string) => object(['code'], { code: { type: 'string', pattern, maxLength: 4 } });
const listed = { members: [{ value: '7', $ref: 'https://example.com/scim/v2/Users/7' }] };
const members = { type: 'array', items: { type: 'object', properties: { $ref: { type: 'string' } } } };
const twice = (example: object) => ({
  get: {
    responses: {
      405: { description: 'no' },
      200: {
        description: 'ok',
        content: { 'application/json': { schema: object(['$id'], { $id: { type: 'string' } }), example } },
      },
    },
  },
});

/** Data that looks like references. */
const same = { $ref: 'https://example.com/users/7', $id: 'same' };
const referring = object(['one'], {
  one: { const: same },
  some: { enum: [same, { $ref: '#/nowhere' }] },
  any: { type: 'object', default: same },
});

/** A template of a page, whose rows are what a schema that refers to it says. */
const templates = {
  Page: {
    $id: 'https://example.com/page',
    ...object(['rows'], { rows: { type: 'array', maxItems: 3, items: { $dynamicRef: '#row' } } }),
    $defs: { any: { $dynamicAnchor: 'row' } },
  },
  Digits: {
    $id: 'https://example.com/digits',
    $ref: 'page',
    $defs: { row: { $dynamicAnchor: 'row', type: 'integer', minimum: 1, maximum: 9 } },
  },
  Names: {
    $id: 'https://example.com/names',
    $ref: 'page',
    $defs: { row: { $dynamicAnchor: 'row', type: 'string' } },
  },
};
const tree = {
  Tree: {
    $id: 'https://example.com/tree',
    $dynamicAnchor: 'node',
    type: 'object',
    properties: { label: { type: 'string' }, children: { type: 'array', items: { $dynamicRef: '#node' } } },
  },
  Strict: {
    $id: 'https://example.com/strict',
    $dynamicAnchor: 'node',
    $ref: 'tree',
    unevaluatedProperties: false,
  },
};
const inModern = (schema: object, schemas: object) => ({
  ...teller(body(schema), '3.1.0'),
  components: { schemas },
});

testReadings({
  'a template with rows that are named by who refers to it': {
    spec: inModern(object(['d', 'n'], { d: ref('Digits'), n: ref('Names') }), templates),
    right: telling({ d: { rows: [1, 9] }, n: { rows: ['a'] } }),
    wrong: telling({ d: { rows: [1, 9] }, n: { rows: [1] } }),
    finds: 'body',
  },
  'a request by a template': {
    spec: taker(ref('Digits'), templates, '3.1.0'),
    right: taking(
      ({ rows }) =>
        Array.isArray(rows) && rows.length <= 3 && rows.every((row) => isInteger(row) && row >= 1 && row <= 9),
    ),
    wrong: taking(({ rows }) => Array.isArray(rows) && rows.length <= 3 && rows.every((row) => isInteger(row))),
    finds: 'refusal',
  },
  'a template alone': {
    spec: inModern(ref('Page'), templates),
    right: telling({ rows: ['a', 1, {}] }),
    wrong: telling({ rows: ['a', 1, {}, null] }),
    finds: 'body',
  },
  'a tree whose every node is strict': {
    spec: inModern(ref('Strict'), tree),
    right: telling({ label: 'a', children: [{ children: [{ label: 'b' }] }] }),
    wrong: telling({ label: 'a', children: [{ children: [{ lable: 'b' }] }] }),
    finds: 'body',
  },
  'a tree that others make strict': {
    spec: inModern(object(['a', 'b'], { a: ref('Tree'), b: ref('Strict') }), tree),
    right: telling({ a: { children: [{ more: 1 }] }, b: { children: [{}] } }),
    wrong: telling({ a: { children: [{ more: 1 }] }, b: { children: [{ more: 1 }] } }),
    finds: 'body',
  },
  'an integer whose bounds are beyond 2^53': {
    spec: taker(whole),
    right: taking(({ n }) => isInteger(n) && n >= 0 && n <= 2 ** 54),
    wrong: taking(({ n }) => isInteger(n) && n >= 0 && n < 1_000),
    finds: 'acceptance',
  },
  'an integer of 64 bits': {
    spec: taker(object(['n'], { n: { type: 'integer', format: 'int64', minimum: -9223372036854775808 } })),
    right: taking(({ n }) => isInteger(n)),
    wrong: taking(({ n }) => typeof n === 'number'),
    finds: 'refusal',
  },
  'two examples with one $id': {
    spec: document({ '/a': twice({ $id: 'same', a: 1 }), '/b': twice({ $id: 'same', a: 2 }) }),
    right: telling({ $id: 'a' }),
    wrong: telling({ $id: 1 }),
    finds: 'body',
  },
  'a $ref in an example': {
    spec: teller(body(object(['members'], { members }, { example: listed }))),
    right: telling(listed),
    wrong: telling({ members: [{ $ref: 7 }] }),
    finds: 'body',
  },
  'a $ref and an $id in const, enum and default': {
    spec: taker(referring, {}, '3.1.0'),
    right: taking(
      ({ one, some, any }) =>
        isDeepStrictEqual(one, same) &&
        (some === undefined || isDeepStrictEqual(some, same) || isDeepStrictEqual(some, { $ref: '#/nowhere' })) &&
        (any === undefined || (typeof any === 'object' && any !== null && !Array.isArray(any))),
    ),
    wrong: taking(({ one }) => isDeepStrictEqual(one, { ...same, $id: 'other' })),
    finds: 'acceptance',
  },
  'a $ref and an $id in what is answered': {
    spec: teller(body(referring), '3.1.0'),
    right: telling({ one: same, some: { $ref: '#/nowhere' } }),
    wrong: telling({ one: same, some: { $ref: '#/elsewhere' } }),
    finds: 'body',
  },
  'a discriminator with a mapping': {
    spec: taker(
      {
        oneOf: [ref('Cat'), ref('Dog')],
        discriminator: { propertyName: 'kind', mapping: { purring: '#/components/schemas/Cat', barking: 'Dog' } },
      },
      { Cat: cat, Dog: dog },
    ),
    right: taking((pet) => (pet['kind'] === 'purring' ? isCat(pet) : pet['kind'] === 'barking' && isDog(pet))),
    wrong: taking((pet) => (pet['kind'] === 'Cat' ? isCat(pet) : pet['kind'] === 'Dog' && isDog(pet))),
    finds: 'acceptance',
  },
  'a discriminator without a mapping': {
    spec: taker({ oneOf: [ref('Cat'), ref('Dog')], discriminator: { propertyName: 'kind' } }, { Cat: cat, Dog: dog }),
    right: taking((pet) => (pet['kind'] === 'Cat' ? isCat(pet) : pet['kind'] === 'Dog' && isDog(pet))),
    wrong: taking((pet) => pet['kind'] === 'Dog' && isDog(pet)),
    finds: 'acceptance',
  },
  'a discriminator of a parent': {
    spec: taker(ref('Pet'), heirs),
    right: taking((pet) => {
      if (pet['kind'] === 'Pet') return true;
      return pet['kind'] === 'Cat' ? isCat(pet) : pet['kind'] === 'Dog' && isDog(pet);
    }),
    wrong: taking((pet) => pet['kind'] === 'Pet'),
    finds: 'acceptance',
  },
  'a discriminator of a parent with a mapping': {
    spec: taker(ref('Pet'), {
      ...heirs,
      Pet: {
        ...pet,
        discriminator: { propertyName: 'kind', mapping: { c: ref('Cat').$ref, d: ref('Dog').$ref } },
      },
    }),
    right: taking((pet) => (pet['kind'] === 'c' ? isCat(pet) : pet['kind'] === 'd' && isDog(pet))),
    wrong: taking((pet) => pet['kind'] === 'c' && isCat(pet)),
    finds: 'acceptance',
  },
  'an answer of cents': {
    spec: teller(body(object(['price'], { price: { type: 'number', multipleOf: 0.01 } }))),
    right: telling({ price: 19.99 }),
    wrong: telling({ price: 19.999 }),
    finds: 'body',
  },
  'a request of cents': {
    spec: taker(object(['price'], { price: { type: 'number', multipleOf: 0.01, minimum: 0, maximum: 500 } })),
    right: taking(
      ({ price }) =>
        typeof price === 'number' && price >= 0 && price <= 500 && /^\d+(\.\d\d?)?$/.test(price.toString()),
    ),
    wrong: taking(
      ({ price }) => typeof price === 'number' && price >= 0 && price <= 500 && Number.isInteger(price * 100),
    ),
    finds: 'acceptance',
  },
  'a pattern with a flag in it': {
    spec: taker(letters('(?i)^[a-f]{4}$')),
    right: taking(({ code }) => typeof code === 'string' && /^[a-f]{4}$/i.test(code)),
    wrong: taking(({ code }) => typeof code === 'string'),
    finds: 'refusal',
    options: { allowIncomplete: true },
    note: /^patterns that are not ECMA-262 are not validated: \(\?i\)\^\[a-f\]\{4\}\$ at #\/paths/,
  },
  'a pattern with a POSIX class, and an example': {
    spec: taker(object(['code'], { code: { type: 'string', pattern: '^[[:alpha:]]+$', example: 'abc' } })),
    right: taking(({ code }) => typeof code === 'string' && /^[A-Za-z]+$/.test(code)),
    wrong: taking(() => false),
    finds: 'acceptance',
    note: /\^\[\[:alpha:\]\]\+\$/,
  },
  'null beside an enum that does not list it, refused': {
    spec: taker(object(['s'], { s: { type: 'string', nullable: true, enum: ['a', 'b'] } })),
    right: taking(({ s }) => s === 'a' || s === 'b'),
    wrong: taking(({ s }) => s === 'a'),
    finds: 'acceptance',
  },
  'null beside an enum that does not list it, taken': {
    spec: taker(object(['s'], { s: { type: 'string', nullable: true, enum: ['a', 'b'] } })),
    right: taking(({ s }) => s === 'a' || s === 'b' || s === null),
    wrong: taking(({ s }) => typeof s === 'string' || s === null),
    finds: 'refusal',
  },
  'null beside an enum that lists it': {
    spec: taker(object(['s'], { s: { type: 'string', nullable: true, enum: ['a', null] } })),
    right: taking(({ s }) => s === 'a' || s === null),
    wrong: taking(({ s }) => s === 'a'),
    finds: 'acceptance',
  },
  'null beside allOf, refused': {
    spec: taker(object(['s'], { s: { nullable: true, allOf: [ref('S')] } }), { S: { type: 'string', enum: ['a'] } }),
    right: taking(({ s }) => s === 'a'),
    wrong: taking(() => false),
    finds: 'acceptance',
  },
  'null beside allOf, answered': {
    spec: {
      ...teller(body(object(['s'], { s: { nullable: true, allOf: [ref('S')] } }))),
      components: { schemas: { S: { type: 'string', enum: ['a'] } } },
    },
    right: telling({ s: null }),
    wrong: telling({ s: 'b' }),
    finds: 'body',
  },
  'a required member that another branch calls readOnly': {
    spec: taker(
      { allOf: [ref('Base'), object(['id', 'name'], { name: { type: 'string', enum: ['ada', 'bob'] } })] },
      { Base: { type: 'object', properties: { id: { type: 'integer', readOnly: true } } } },
    ),
    right: taking(({ id, name }) => (name === 'ada' || name === 'bob') && (id === undefined || isInteger(id))),
    wrong: taking(({ id, name }) => (name === 'ada' || name === 'bob') && isInteger(id)),
    finds: 'acceptance',
  },
});

test('an integer beyond 2^53 stops neither timers nor the run', async () => {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 10);
  const report = await tested(
    taker(whole),
    taking(({ n }) => isInteger(n) && n >= 0 && n <= 2 ** 54),
    { timeMs: 20_000 },
  );
  clearInterval(timer);
  expect(report.ended, toSummary(report)).toBeUndefined();
  expect(longest).toBeLessThan(1_000);
});
