import { expect, test } from 'vitest';
import { testContract, toSummary } from '../../contract/index.js';
import { type SmallReply, type SmallRequest, startSmall } from './planted/small.js';

// A document in the style of a public CRUD API: no credential, numbered pages, PUT and PATCH, filters and an order.

const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1, maximum: 2147483647 } };
const CATEGORIES = ['books', 'games', 'tools'];
const members = {
  name: { type: 'string', minLength: 1, maxLength: 60 },
  category: { type: 'string', enum: CATEGORIES },
  price: { type: 'integer', minimum: 0, maximum: 1_000_000 },
  stocked: { type: 'boolean', default: true },
  tags: { type: 'array', maxItems: 4, items: { type: 'string', minLength: 1, maxLength: 20 } },
};
const json = (schema: object) => ({ content: { 'application/json': { schema } } });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const no = { description: 'no', ...json(ref('Problem')) };
const one = { description: 'the product', ...json(ref('Product')) };

const document = {
  openapi: '3.0.3',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/products': {
      get: {
        operationId: 'listProducts',
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 50, default: 20 } },
          { name: 'offset', in: 'query', schema: { type: 'integer', minimum: 0, maximum: 10_000, default: 0 } },
          { name: 'category', in: 'query', schema: { type: 'string', enum: CATEGORIES } },
          {
            name: 'sort',
            in: 'query',
            schema: { type: 'string', enum: ['id', 'price', '-price', 'name'], default: 'id' },
          },
        ],
        responses: { 200: { description: 'a page', ...json(ref('Page')) }, 400: no },
      },
      post: {
        operationId: 'createProduct',
        requestBody: { required: true, ...json(ref('NewProduct')) },
        responses: { 201: { ...one, headers: { Location: { required: true, schema: { type: 'string' } } } }, 400: no },
      },
    },
    '/products/{id}': {
      parameters: [id],
      get: { operationId: 'getProduct', responses: { 200: one, 400: no, 404: no } },
      put: {
        operationId: 'replaceProduct',
        requestBody: { required: true, ...json(ref('NewProduct')) },
        responses: { 200: one, 400: no, 404: no },
      },
      patch: {
        operationId: 'editProduct',
        requestBody: { required: true, ...json(ref('ProductEdit')) },
        responses: { 200: one, 400: no, 404: no },
      },
      delete: { operationId: 'deleteProduct', responses: { 204: { description: 'gone' }, 400: no, 404: no } },
    },
  },
  components: {
    schemas: {
      NewProduct: {
        type: 'object',
        required: ['name', 'category', 'price'],
        properties: members,
        additionalProperties: false,
      },
      ProductEdit: { type: 'object', minProperties: 1, properties: members, additionalProperties: false },
      Product: {
        type: 'object',
        required: ['id', 'name', 'category', 'price', 'stocked', 'tags', 'createdAt'],
        properties: { id: { type: 'integer' }, ...members, createdAt: { type: 'string', format: 'date-time' } },
      },
      Page: {
        type: 'object',
        required: ['total', 'items'],
        properties: { total: { type: 'integer' }, items: { type: 'array', items: ref('Product') } },
      },
      Problem: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
    },
  },
};

interface Product {
  id: number;
  name: string;
  category: string;
  price: number;
  stocked: boolean;
  tags: string[];
  createdAt: string;
}

const FAULTS = {
  'the name is trimmed': 'echo',
  'Location is the list': 'location',
  'a new product is not stocked by default': 'default',
  'an edit clears the tags': 'unchanged',
  'an edit makes it as new': 'unchanged',
  'the dearest are last when they ought to be first': 'filter',
  'category is ignored': 'filter',
  'the list has ten by default': 'default',
  'a deleted product stays': 'revocation',
  'HEAD of what is not there is 200': 'head',
  'the offset is one too far': 'paging',
  'the list rounds prices': 'sequence',
} as const;
type Fault = keyof typeof FAULTS;

function shop(fault?: Fault): (request: SmallRequest) => SmallReply {
  const has = (name: Fault) => name === fault;
  const products: Product[] = [];
  let last = 0;
  const refuse = (error: string, status = 400): SmallReply => ({ status, body: { error } });

  function read({ body, type }: SmallRequest, isWhole: boolean): Partial<Product> | string {
    if (!/^application\/json\b/.test(type)) return 'The body must be application/json.';
    const value = parsed(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'The body must be an object.';
    const sent = value as Record<string, unknown>;
    const { name, category, price, stocked, tags } = sent;
    const unknown = Object.keys(sent).find((each) => !Object.hasOwn(members, each));
    if (unknown !== undefined) return `${unknown} is unknown.`;
    if (isWhole ? [name, category, price].includes(undefined) : Object.keys(sent).length === 0)
      return 'name, category and price are needed.';
    const isText = (text: unknown, most: number) =>
      typeof text === 'string' && text !== '' && Array.from(text).length <= most;
    if ('name' in sent && !isText(name, 60)) return 'name must have 1 to 60 characters.';
    if ('category' in sent && !CATEGORIES.includes(String(category))) return 'category must be one of three.';
    const isPrice = typeof price === 'number' && Number.isInteger(price) && price >= 0 && price <= 1_000_000;
    if ('price' in sent && !isPrice) return 'price must be a whole number of cents.';
    if ('stocked' in sent && typeof stocked !== 'boolean') return 'stocked must be true or false.';
    const areTags = Array.isArray(tags) && tags.length <= 4 && tags.every((tag) => isText(tag, 20));
    if ('tags' in sent && !areTags) return 'tags must be at most 4 texts.';
    return sent;
  }

  function list({ query }: SmallRequest): SmallReply {
    const number = (name: string, assumed: number, least: number, most: number) => {
      const text = query.get(name) ?? String(assumed);
      return /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
    };
    const limit = number('limit', has('the list has ten by default') ? 10 : 20, 1, 50);
    const offset = number('offset', 0, 0, 10_000);
    const sort = query.get('sort') ?? 'id';
    const category = query.get('category');
    if (limit === undefined) return refuse('limit must be 1 to 50.');
    if (offset === undefined) return refuse('offset must be 0 to 10000.');
    if (!['id', 'price', '-price', 'name'].includes(sort)) return refuse('sort is unknown.');
    if (category !== null && !CATEGORIES.includes(category)) return refuse('category is unknown.');
    const isKept = (product: Product) =>
      category === null || has('category is ignored') || product.category === category;
    const by = sort.replace('-', '') as 'id' | 'price' | 'name';
    const rows = products.filter(isKept).sort((a, b) => (a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : a.id - b.id));
    if (sort.startsWith('-') && !has('the dearest are last when they ought to be first')) rows.reverse();
    const start = offset > 0 && has('the offset is one too far') ? offset + 1 : offset;
    const round = (price: number) => (has('the list rounds prices') ? Math.round(price / 10) * 10 : price);
    const items = rows.slice(start, start + limit).map((row) => ({ ...row, price: round(row.price) }));
    return { status: 200, body: { total: rows.length, items } };
  }

  function create(request: SmallRequest): SmallReply {
    const wish = read(request, true);
    if (typeof wish === 'string') return refuse(wish);
    const stocked = !has('a new product is not stocked by default');
    const { name = '', category = '', price = 0 } = wish;
    const product: Product = {
      ...{ id: ++last, name, category, price, stocked, tags: [], createdAt: new Date().toISOString() },
      ...wish,
    };
    if (has('the name is trimmed')) product.name = product.name.trim() || product.name;
    products.push(product);
    const Location = has('Location is the list') ? '/products' : `/products/${String(product.id)}`;
    return { status: 201, body: product, headers: { Location } };
  }

  function onOne(request: SmallRequest, text: string): SmallReply {
    const { method } = request;
    if (!/^\d{1,10}$/.test(text) || Number(text) < 1 || Number(text) > 2147483647)
      return refuse('id must be a number.');
    const index = products.findIndex((product) => product.id === Number(text));
    const product = products[index];
    if (product === undefined) {
      if (method === 'HEAD' && has('HEAD of what is not there is 200')) return { status: 200 };
      return refuse('There is no such product.', 404);
    }
    if (method === 'GET' || method === 'HEAD') return { status: 200, body: product };
    if (method === 'DELETE') {
      if (!has('a deleted product stays')) products.splice(index, 1);
      return { status: 204 };
    }
    const wish = read(request, method === 'PUT');
    if (typeof wish === 'string') return refuse(wish);
    if (method === 'PUT') Object.assign(product, { stocked: true, tags: [] });
    Object.assign(product, wish);
    if (method === 'PATCH' && has('an edit clears the tags') && wish.tags === undefined) product.tags = [];
    if (method === 'PATCH' && has('an edit makes it as new'))
      product.createdAt = new Date(Date.now() + 9).toISOString();
    return { status: 200, body: product };
  }

  return (request) => {
    const [, collection, text] = /^\/(products)(?:\/([^/]+))?$/.exec(request.path) ?? [];
    if (collection === undefined) return refuse('There is no such path.', 404);
    const methods = text === undefined ? ['GET', 'POST'] : ['GET', 'PUT', 'PATCH', 'DELETE'];
    if (!methods.includes(request.method === 'HEAD' ? 'GET' : request.method))
      return { ...refuse('This method is not served here.', 405), headers: { Allow: methods.join(', ') } };
    if (text !== undefined) return onOne(request, text);
    return request.method === 'POST' ? create(request) : list(request);
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const run = async (fault?: Fault) =>
  await testContract({
    url: await startSmall(shop(fault)),
    spec: document,
    seed: 9,
    fuzzRuns: 5,
    laws: { practices: ['echo'] },
    ...(fault && { maxFaults: 1 }),
  });

test('a right shop holds', { timeout: 60_000 }, async () => {
  const report = await run();
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.held, toSummary(report)).toBe(true);
});

test.each(Object.entries(FAULTS))('finds in a shop: %s', { timeout: 60_000 }, async (fault, check) => {
  const report = await run(fault as Fault);
  expect(
    report.failures.map((failure) => failure.check),
    toSummary(report),
  ).toContain(check);
});
