import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ContractOptions, testContract, toSummary } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';

// Tickets, whose document leaves much to laws: a right server, and servers that are wrong in one point each.

const members = {
  title: { type: 'string', minLength: 1, maxLength: 60 },
  kind: { type: 'string', enum: ['bug', 'wish'], default: 'bug' },
  note: { type: 'string', maxLength: 60 },
  urgent: { type: 'boolean', default: false },
};
const Ticket = {
  type: 'object',
  required: ['id', ...Object.keys(members), 'deletedAt'],
  properties: { id: { type: 'integer' }, ...members, deletedAt: { type: 'string', nullable: true } },
};
const NewTicket = { type: 'object', required: ['title'], properties: members, additionalProperties: false };
const Page = {
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items: Ticket }, next: { type: 'string', nullable: true } },
};
const query = (name: string, schema: object) => ({ name, in: 'query', schema });
const no = { description: 'no' };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1, maximum: 1_000_000 } };
const key = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string', minLength: 20, maxLength: 80 } };
const asked = { required: true, content: { 'application/json': { schema: NewTicket } } };
const spec = document({
  '/tickets': {
    get: {
      operationId: 'listTickets',
      parameters: [
        query('page', { type: 'integer', minimum: 1, maximum: 1_000 }),
        query('limit', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
        query('kind', { type: 'string', enum: ['bug', 'wish'] }),
        query('urgent', { type: 'boolean' }),
        query('includeDeleted', { type: 'boolean', default: false }),
      ],
      responses: { 200: body(Page), 400: no, 404: no },
    },
    post: {
      operationId: 'createTicket',
      parameters: [key],
      requestBody: asked,
      responses: { 201: body(Ticket), 400: no, 422: no },
    },
  },
  '/tickets/{id}': {
    parameters: [id],
    get: { operationId: 'getTicket', responses: { 200: body(Ticket), 400: no, 404: no } },
    put: {
      operationId: 'replaceTicket',
      requestBody: asked,
      responses: { 200: body(Ticket), 400: no, 404: no, 409: no },
    },
    delete: { operationId: 'deleteTicket', responses: { 204: no, 400: no, 404: no, 409: no } },
  },
});

const made = '$steps.made.response.body#/id';
const laws: ContractOptions['laws'] = {
  practices: ['put-replaces'],
  workflows: [
    {
      rule: 'a ticket is deleted once, and tells when',
      steps: [
        { operation: 'createTicket', as: 'made', members: { note: 'to be {$run.word}' } },
        { operation: 'getTicket', parameters: { 'path.id': made }, expect: { '$response.body#/deletedAt': null } },
        { operation: 'deleteTicket', parameters: { 'path.id': made }, status: 204 },
        {
          operation: 'getTicket',
          parameters: { 'path.id': made },
          expect: {
            '$response.body#/deletedAt': { about: 'now' },
            '$response.body#/note': '$steps.made.response.body#/note',
          },
        },
        { operation: 'deleteTicket', parameters: { 'path.id': made }, status: 409 },
        {
          operation: 'listTickets',
          parameters: { 'query.includeDeleted': true, 'query.limit': 100 },
          expect: { '$response.body#/items': { has: { id: made } } },
        },
        { operation: 'listTickets', path: '/tickets/', status: 404 },
        { operation: 'listTickets', method: 'OPTIONS', status: [204, 405] },
      ],
    },
  ],
};

const FAULTS = {
  'a second deletion is 204': ['law', /a ticket is deleted once.*gets 204/],
  'deletedAt is the year before': ['law', /a ticket is deleted once.*deletedAt is not as expected/],
  'of two filters one counts': ['filter', /kind and urgent together return rows/],
  'deleted tickets are listed alone': ['filter', /includeDeleted=true omits rows/],
  'the last page offers another': ['paging', /the next page that an answer refers to gets 404/],
  'PUT keeps what it leaves out': ['unchanged', /still has the note that its body omits/],
  'a key counts once its ticket is made': ['once', /./],
  'every fiftieth answer fails': ['server-error', /the server fails with 500/],
  'a list is slow': ['time', /an answer is slow/],
} as const;
type Fault = keyof typeof FAULTS;

interface Row {
  id: number;
  title: string;
  kind: string;
  note: string;
  urgent: boolean;
  deletedAt: string | null;
}

function tickets(fault?: Fault): (request: SmallRequest) => SmallReply | Promise<SmallReply> {
  const has = (name: Fault) => fault === name;
  const rows: Row[] = [];
  const keys = new Map<string, { sent: string; row: Row }>();
  let count = 0;
  const plain = { title: '', kind: 'bug', note: '', urgent: false };

  function read({ body: sent, type }: SmallRequest): Partial<Row> | undefined {
    try {
      const value = JSON.parse(sent) as Record<string, unknown>;
      const isText = (name: string, least: number) =>
        typeof value[name] === 'string' &&
        Array.from(value[name]).length >= least &&
        Array.from(value[name]).length <= 60;
      const rules: Record<string, () => boolean> = {
        title: () => isText('title', 1),
        note: () => isText('note', 0),
        kind: () => value['kind'] === 'bug' || value['kind'] === 'wish',
        urgent: () => typeof value['urgent'] === 'boolean',
      };
      const isRight = Object.keys(value).every((name) => Object.hasOwn(rules, name) && rules[name]?.() === true);
      return /^application\/json/i.test(type) && isRight && 'title' in value ? value : undefined;
    } catch {
      return undefined;
    }
  }

  async function list({ query: given }: SmallRequest): Promise<SmallReply> {
    if (has('a list is slow')) await wait(60);
    const number = (name: string, assumed: number, most: number) => {
      const text = given.get(name) ?? String(assumed);
      return /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= most ? Number(text) : 0;
    };
    const [page, limit] = [number('page', 1, 1_000), number('limit', 20, 100)];
    const [kind, urgent, deleted] = ['kind', 'urgent', 'includeDeleted'].map((name) => given.get(name));
    const isFlag = (text: string | null | undefined) => text === null || text === 'true' || text === 'false';
    if (page === 0 || limit === 0 || !isFlag(urgent) || !isFlag(deleted)) return { status: 400 };
    if (kind !== null && kind !== 'bug' && kind !== 'wish') return { status: 400 };
    const isIgnored = has('of two filters one counts') && kind !== null && urgent !== null;
    const kept = rows.filter(
      (row) =>
        (kind === null || row.kind === kind) &&
        (urgent === null || isIgnored || String(row.urgent) === urgent) &&
        (deleted === 'true'
          ? !has('deleted tickets are listed alone') || row.deletedAt !== null
          : row.deletedAt === null),
    );
    const items = kept.slice((page - 1) * limit, page * limit);
    if (page > 1 && items.length === 0) return { status: 404 };
    given.set('page', String(page + 1));
    const isLast = page * limit >= kept.length && !has('the last page offers another');
    return { status: 200, body: { items, next: isLast ? null : `/tickets?${given.toString()}` } };
  }

  async function create(request: SmallRequest): Promise<SmallReply> {
    const key = request.headers['idempotency-key'];
    if (key !== undefined && (typeof key !== 'string' || key.length < 20 || key.length > 80)) return { status: 400 };
    const wish = read(request);
    if (wish === undefined) return { status: 400 };
    const known = keys.get(key ?? '');
    if (known) return known.sent === request.body ? { status: 201, body: known.row } : { status: 422 };
    // Longer than the tests need to send several requests at once.
    if (key !== undefined && has('a key counts once its ticket is made')) await wait(100);
    const row: Row = { id: rows.length + 1, ...plain, deletedAt: null, ...wish };
    rows.push(row);
    if (key !== undefined) keys.set(key, { sent: request.body, row });
    return { status: 201, body: row };
  }

  function onOne(request: SmallRequest, text: string): SmallReply {
    if (!/^\d{1,7}$/.test(text) || Number(text) < 1 || Number(text) > 1_000_000) return { status: 400 };
    const row = rows[Number(text) - 1];
    if (row === undefined) return { status: 404 };
    if (request.method === 'GET' || request.method === 'HEAD') return { status: 200, body: row };
    const isGone = row.deletedAt !== null;
    if (request.method === 'DELETE') {
      if (isGone) return { status: has('a second deletion is 204') ? 204 : 409 };
      const aYear = has('deletedAt is the year before') ? 365 * 86_400_000 : 0;
      row.deletedAt = new Date(Date.now() - aYear).toISOString();
      return { status: 204 };
    }
    const wish = read(request);
    if (wish === undefined) return { status: 400 };
    if (isGone) return { status: 409 };
    return { status: 200, body: Object.assign(row, has('PUT keeps what it leaves out') ? {} : plain, wish) };
  }

  return (request) => {
    if (has('every fiftieth answer fails') && ++count % 50 === 0) return { status: 500 };
    const [, collection, text] = /^\/(tickets)(?:\/([^/]+))?$/.exec(request.path) ?? [];
    if (collection === undefined) return { status: 404 };
    if (text !== undefined) return onOne(request, text);
    return request.method === 'POST' ? create(request) : list(request);
  };
}

const options = { laws, fuzzRuns: 3, maxResponseMs: 50 };

describe('tickets', { timeout: 60_000 }, () => {
  test('a right server keeps the laws', async () => {
    const report = await tested(spec, tickets(), { ...options, maxResponseMs: 5_000 });
    expect(report.failures, toSummary(report)).toEqual([]);
    expect(report.held, toSummary(report)).toBe(true);
  });

  test.each(Object.entries(FAULTS))('finds: %s', async (fault, [check, message]) => {
    const maxResponseMs = fault === 'a list is slow' ? 50 : 5_000;
    const report = await tested(spec, tickets(fault as Fault), { ...options, maxResponseMs });
    const found = report.failures.filter((each) => each.check === check && message.test(each.message));
    expect(found.length, toSummary(report)).toBeGreaterThan(0);
  });
});

test('finds a connection that is cut in a long body', { timeout: 30_000 }, async () => {
  const server = createServer(({ url: path }, response) => {
    const isLong = path === '/long';
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': isLong ? 200_000 : 5 });
    if (isLong) response.write(`"${'x'.repeat(100_000)}`, () => response.destroy());
    else response.end('"abc"');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const get = (operationId: string) => ({ get: { operationId, responses: { 200: body({ type: 'string' }) } } });
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const paths = { '/short': get('getShort'), '/long': get('getLong') };
  const report = await testContract({ url, spec: document(paths), seed: 1, fuzzRuns: 1 });
  const [first] = report.failures.filter(({ check }) => check === 'answer');
  expect(first?.operation, toSummary(report)).toBe('getLong');
  expect(first?.message).toMatch(/middle/);
});
