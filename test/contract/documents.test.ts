import { expect, test } from 'vitest';
import { CouldNotRun, testContract, toSummary } from '../../contract/index.js';
import { type SmallReply, type SmallRequest, startSmall } from './planted/small.js';

// What documents of other projects have that Latchkey's has not: OpenAPI 3.0 with its own words for null and for open
// bounds, schemas that refer to themselves, parameters of a path, styles, forms, and answers by default.

const tree = {
  type: 'object',
  required: ['label', 'weight', 'children'],
  properties: {
    label: { type: 'string', nullable: true, maxLength: 20 },
    weight: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 10 },
    children: { type: 'array', maxItems: 3, items: { $ref: '#/components/schemas/Tree' } },
  },
  additionalProperties: false,
};

const document = {
  openapi: '3.0.3',
  info: { title: 'Trees', version: '2' },
  servers: [{ url: 'https://trees.example.org/elsewhere' }],
  paths: {
    '/forests/{forest}/trees': {
      parameters: [{ name: 'forest', in: 'path', required: true, schema: { type: 'string', enum: ['oak', 'fir'] } }],
      get: {
        operationId: 'countTrees',
        parameters: [
          {
            name: 'heights',
            in: 'query',
            style: 'pipeDelimited',
            explode: false,
            schema: { type: 'array', maxItems: 2, items: { type: 'integer', minimum: 1, maximum: 9 } },
          },
        ],
        responses: {
          200: { description: 'ok', content: { 'application/json': { schema: { type: 'integer' } } } },
          default: { $ref: '#/components/responses/Fault' },
        },
      },
      post: {
        operationId: 'growTree',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Tree' } } },
        },
        responses: {
          200: {
            description: 'ok',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Tree' } } },
          },
          '4XX': { $ref: '#/components/responses/Fault' },
        },
      },
    },
  },
  components: {
    schemas: { Tree: tree },
    responses: {
      Fault: {
        description: 'no',
        content: {
          'application/json': {
            schema: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
          },
        },
      },
    },
  },
};

const refused: SmallReply = { status: 400, body: { error: 'no' } };

interface Tree {
  label: string | null;
  weight: number;
  children: Tree[];
}

function isTree(value: unknown, lowest: (weight: number) => boolean): value is Tree {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { label, weight, children, ...others } = value as Record<string, unknown>;
  const isLabel = label === null || (typeof label === 'string' && Array.from(label).length <= 20);
  const isWeight = typeof weight === 'number' && lowest(weight) && weight <= 10;
  const areChildren =
    Array.isArray(children) && children.length <= 3 && children.every((child) => isTree(child, lowest));
  return isLabel && isWeight && areChildren && Object.keys(others).length === 0;
}

/** `lowest` says which weights are high enough, `grown` what comes back of a tree. */
function forest({
  lowest = (weight) => weight > 0,
  grown = (tree) => tree,
}: {
  lowest?: (weight: number) => boolean;
  grown?: (tree: Tree) => unknown;
} = {}) {
  return ({ method, path, query, body, type }: SmallRequest): SmallReply => {
    if (!/^\/base\/forests\/(oak|fir)\/trees$/.test(path)) return { status: 404, body: { error: 'no' } };
    if (method === 'GET') {
      const heights = query.getAll('heights').flatMap((text) => text.split('|'));
      return heights.length <= 2 && heights.every((height) => /^[1-9]$/.test(height))
        ? { status: 200, body: 3 }
        : refused;
    }
    if (method !== 'POST') return { status: 405, body: { error: 'no' }, headers: { Allow: 'GET, POST' } };
    if (!type.startsWith('application/json')) return refused;
    try {
      const tree: unknown = JSON.parse(body);
      return isTree(tree, lowest) ? { status: 200, body: grown(tree) } : refused;
    } catch {
      return refused;
    }
  };
}

async function run(answer: (request: SmallRequest) => SmallReply) {
  return await testContract({ url: `${await startSmall(answer)}/base/`, spec: document, seed: 4 });
}

test('a server that keeps a 3.0 document holds it, below the path of its address', async () => {
  const report = await run(forest());
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.spec).toEqual({ title: 'Trees', version: '2', openapi: '3.0.3' });
  expect(report.operations.map(({ seen }) => Object.keys(seen))).toEqual([
    ['200', '400', '404', '405'],
    ['200', '400', '404'],
  ]);
});

test.each([
  ['an open bound that is taken', forest({ lowest: (weight) => weight >= 0 }), 'refusal', /must be > 0/],
  ['a bound that is too high', forest({ lowest: (weight) => weight > 1 }), 'acceptance', /weight/],
  [
    'null where the schema has none',
    forest({ grown: (tree) => ({ ...tree, weight: null }) }),
    'body',
    /must be number/,
  ],
  ['a child that is no tree', forest({ grown: (tree) => ({ ...tree, children: [{}] }) }), 'body', /required property/],
])('finds %s in a 3.0 document', async (_, answer, check, message) => {
  const { failures } = await run(answer);
  const about = failures.filter((failure) => failure.check === check).map((failure) => failure.message);
  expect(about.join('\n')).toMatch(message);
});

test('a nullable member that refuses null is found', async () => {
  const plain = forest();
  const report = await run((request) => (request.body.includes('"label":null') ? refused : plain(request)));
  expect(report.failures.map(({ check }) => check)).toContain('acceptance');
});

test.each([
  ['no document', { spec: 'no/such/file.yaml' }, /cannot be read/],
  ['another kind of document', { spec: 'package.json' }, /not an OpenAPI 3.0 or 3.1 document/],
  ['a Swagger 2 document', { spec: { swagger: '2.0', paths: {} } }, /not an OpenAPI 3.0 or 3.1 document/],
  [
    'a document in pieces',
    { spec: { openapi: '3.1.0', paths: { '/a': { $ref: 'a.yaml' } } } },
    /bundle the document into one file/,
  ],
  ['a reference to nothing', { spec: { openapi: '3.1.0', paths: { '/a': { $ref: '#/b' } } } }, /not in the document/],
  ['no operations', { spec: { openapi: '3.1.0', paths: {} } }, /no operations/],
  ['an unknown tag', { only: 'Shrubs' }, /neither a tag nor an operationId/],
  ['an address of another kind', { url: 'ftp://127.0.0.1' }, /http or https/],
  ['nobody there', { url: 'http://127.0.0.1:1' }, /does not answer/],
  [
    'a login that the document lacks',
    { login: { username: 'ada@example.org', password: 'secret' } },
    /no operation to log in/,
  ],
])('%s: it could not run', async (_, options, message) => {
  const url = await startSmall(forest());
  const failed = testContract({ url, spec: document, ...options });
  await expect(failed).rejects.toThrow(CouldNotRun);
  await expect(failed).rejects.toThrow(message);
});

test('schemas that nothing fits, or that have no end, neither hang nor break a run', async () => {
  const odd = {
    type: 'object',
    required: ['self'],
    properties: {
      self: { $ref: '#/components/schemas/Odd' },
      site: { type: 'string', format: 'uri', maxLength: 5 },
      prefix: { type: 'string', minLength: 12, maxLength: 12 },
      word: { type: 'string', pattern: '[\\-_]{3}', maxLength: 2 },
      never: { type: 'string', pattern: '(' },
      between: { type: 'integer', minimum: 5, maximum: 1 },
      set: { type: 'array', uniqueItems: true, minItems: 3, items: { type: 'boolean' } },
      anything: {},
      nothing: false,
    },
  };
  const parameters = [{ name: 'q', in: 'query', schema: { type: 'string', enum: [''] } }];
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Odd' } } };
  const post = {
    operationId: 'post',
    parameters,
    requestBody: { content },
    responses: { default: { description: 'any' } },
  };
  const spec = { openapi: '3.1.0', info: {}, paths: { '/odd': { post } }, components: { schemas: { Odd: odd } } };
  const url = await startSmall(() => ({ status: 204 }));
  const report = await testContract({ url, spec, seed: 8 });
  expect(report).toMatchObject({ ended: undefined, complete: true });
  expect(report.operations[0]?.requests).toBeGreaterThan(60);
});

test('the same seed sends the same requests', async () => {
  const requests: string[][] = [];
  for (let round = 0; round < 2; round++) {
    const sent: string[] = [];
    const answer = forest();
    await run((request) => {
      sent.push(`${request.method} ${request.path}?${request.query.toString()} ${request.body}`);
      return answer(request);
    });
    requests.push(sent);
  }
  expect(requests[0]).toEqual(requests[1]);
});
