import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import schema from '../../contract/config/contract.schema.json' with { type: 'json' };
import {
  CHECKS,
  COMPARISONS,
  CouldNotRun,
  PRACTICES,
  readContractConfig,
  testContract,
  toSummary,
} from '../../contract/index.js';
import { type SmallRequest, startSmall } from './planted/small.js';

// What the configuration says of a server, and what of it is wrong.

const TOKEN = 'the-credential-of-the-run-0001';

const text = { type: 'string' };
const answers = { 200: { description: 'ok' }, 404: { description: 'unknown' }, 401: { description: 'no' } };
const customer = { name: 'customer_id', in: 'path', required: true, schema: text };
const region = { name: 'region', in: 'query', schema: { type: 'string', enum: ['eu', 'us'] } };
const row = { type: 'object', required: ['id'], properties: { id: text } };
const rows = { description: 'ok', content: { 'application/json': { schema: { type: 'array', items: row } } } };
const order = { type: 'object', required: ['city'], properties: { city: text, note: text } };
const body = { required: true, content: { 'application/json': { schema: order } } };

const document = {
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  security: [{ bearer: [] }],
  paths: {
    '/customers': { get: { operationId: 'listCustomers', responses: { ...answers, 200: rows } } },
    '/customers/{customer_id}': {
      parameters: [customer],
      get: { operationId: 'getCustomer', parameters: [region], responses: answers },
      delete: { operationId: 'deleteCustomer', responses: answers },
    },
    '/customers/{customer_id}/orders': {
      parameters: [customer],
      post: { operationId: 'order', requestBody: body, responses: { ...answers, 422: { description: 'no' } } },
    },
  },
  components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
};

async function startShop() {
  const requests: SmallRequest[] = [];
  const url = await startSmall((request) => {
    requests.push(request);
    const { method, path, headers } = request;
    // The word of a scheme has no letter case (RFC 9110, 11.1).
    if (headers.authorization?.replace(/^bearer/i, 'Bearer') !== `Bearer ${TOKEN}`) return { status: 401 };
    if (path === '/customers' && method === 'GET') return { status: 200, body: [{ id: 'c-17' }, { id: 'c-18' }] };
    if (method !== 'GET' && method !== 'POST') return { status: 405, headers: { Allow: 'GET, DELETE' } };
    if (!path.startsWith('/customers/c-17')) return { status: 404 };
    return { status: 200 };
  });
  return { url, requests };
}

async function configure(config: unknown, others: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(others)) await writeFile(join(folder, name), content);
  const file = join(folder, 'latchkey-contract.yaml');
  await writeFile(file, typeof config === 'string' ? config : stringify(config));
  return file;
}

test('a run goes by its file: address, document, credential, headers, values, and what is left out', async () => {
  const { url, requests } = await startShop();
  const file = await configure(
    {
      url,
      spec: 'shop.json',
      token: { file: 'token.txt' },
      headers: { 'X-Tenant': 'acme' },
      leaveOut: { deleteCustomer: 'customers are shared with other tests' },
      values: {
        '*': { 'path.customer_id': 'from listCustomers' },
        getCustomer: { 'query.region': 'eu' },
        order: { 'path.customer_id': 'from listCustomers at /0/id', 'body.city': 'Trier' },
      },
      seeds: [3],
      time: '20s',
      fuzzRuns: 5,
      checks: ['server-error', 'body', 'acceptance'],
    },
    { 'shop.json': JSON.stringify(document), 'token.txt': `${TOKEN}\n` },
  );
  const report = await testContract({ url: '', ...(await readContractConfig(file)) });
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.seed).toBe(3);
  expect(new Set(requests.map(({ headers }) => headers['x-tenant']))).toEqual(new Set(['acme']));
  expect(requests.filter(({ method, path }) => method === 'DELETE' && path === '/customers/c-17')).toEqual([]);
  expect(report.operations.find(({ operation }) => operation === 'deleteCustomer')).toMatchObject({
    requests: 0,
    skipped: ['left out: customers are shared with other tests'],
  });
  expect(report.operations.find(({ operation }) => operation === 'getCustomer')?.seen['200']).toBeGreaterThan(3);
  expect(requests.some(({ path, query }) => path === '/customers/c-17' && query.get('region') === 'eu')).toBe(true);
  const orders = requests.filter(({ method, path }) => method === 'POST' && path === '/customers/c-17/orders');
  expect(orders.some((request) => request.body.includes('"city":"Trier"'))).toBe(true);
});

test('what the document leaves out is left out, unless an option says otherwise', async () => {
  const { url } = await startShop();
  const spec = structuredClone(document) as typeof document & Record<string, never>;
  const item: { delete: object } = spec.paths['/customers/{customer_id}'];
  item.delete = { ...item.delete, 'x-contract-leave-out': 'only the tax office may call it' };
  const options = { url, spec, token: TOKEN, seed: 3, fuzzRuns: 1, checks: ['server-error' as const] };
  const of = async (given: { leaveOut?: Record<string, string> }) =>
    (await testContract({ ...options, ...given })).operations.find(({ operation }) => operation === 'deleteCustomer');
  expect(await of({})).toMatchObject({ requests: 0, skipped: ['left out: only the tax office may call it'] });
  expect((await of({ leaveOut: {} }))?.requests).toBeGreaterThan(0);
});

test('hooks make the credential, sign requests and judge answers', async () => {
  const { url, requests } = await startShop();
  const hooks = `
    let torn = 0;
    export const setUp = async ({ url }) => ({ token: '${TOKEN}', headers: { 'X-Set-Up': String(url.length) } });
    export const request = (request, { operation }) =>
      ({ ...request, headers: { ...request.headers, 'X-Signature': operation + ' ' + request.target.length } });
    export const answer = ({ status, value }, { operation }) =>
      operation === 'listCustomers' && status === 200 && value.length > 1 ? ['a list has more than one row'] : [];
  `;
  const file = await configure(
    { url, spec: 'shop.json', hooks: 'hooks.mjs', fuzzRuns: 1, only: 'listCustomers' },
    {
      'hooks.mjs': hooks,
      'shop.json': JSON.stringify(document),
    },
  );
  const report = await testContract({ url: '', ...(await readContractConfig(file)) });
  expect(report.failures.map(({ check, message }) => `${check}: ${message}`)).toEqual([
    'hook: a list has more than one row',
  ]);
  const listed = requests.find(({ path }) => path === '/customers');
  expect(listed?.headers).toMatchObject({ 'x-signature': 'listCustomers 10', 'x-set-up': String(url.length) });
});

test('tearDown is called after a run that could not go on, and after one that could', async () => {
  const { url } = await startShop();
  const called: string[] = [];
  const hooks = { setUp: () => void called.push('setUp'), tearDown: () => void called.push('tearDown') };
  const options = { spec: document, token: TOKEN, fuzzRuns: 1, only: 'listCustomers', hooks };
  await expect(testContract({ ...options, url: 'http://127.0.0.1:1' })).rejects.toThrow(/does not answer/);
  expect(called).toEqual(['setUp', 'tearDown']);
  await testContract({ ...options, url });
  expect(called).toEqual(['setUp', 'tearDown', 'setUp', 'tearDown']);
});

test('a run is repeated with each seed until one breaks the contract', async () => {
  const { url } = await startShop();
  const options = { url, spec: document, token: TOKEN, fuzzRuns: 1, only: 'listCustomers' };
  expect((await testContract({ ...options, seeds: [4, 5] })).seed).toBe(5);
  const answer = () => 'wrong';
  expect(await testContract({ ...options, seeds: [4, 5], hooks: { answer } })).toMatchObject({ held: false, seed: 4 });
});

test('laws may stand in a file of their own, as those of our own document do', async () => {
  const text = await readFile('openapi.laws.yaml', 'utf8');
  const { laws } = await readContractConfig(await configure({ laws: 'laws.yaml' }, { 'laws.yaml': text }));
  expect(laws?.practices?.length).toBeGreaterThan(0);
  const wrong = readContractConfig(await configure({ laws: 'laws.yaml' }, { 'laws.yaml': 'laws: { filtres: [] }' }));
  await expect(wrong).rejects.toThrow(/laws\.yaml is wrong: .*laws has no member filtres/);
});

test.each([
  ['a member that there is not', { ur: 'http://a' }, /it has no member ur/],
  ['a credential in the file', { token: 'abc' }, /token must be \{ env: NAME \} or \{ file: PATH \}/],
  ['a variable that is not set', { token: { env: 'LATCHKEY_NO_SUCH' } }, /variable LATCHKEY_NO_SUCH is not set/],
  ['a file that is not there', { token: { file: 'no.txt' } }, /no\.txt cannot be read/],
  ['an operation left out without a reason', { leaveOut: { a: '' } }, /leaveOut\.a must NOT have fewer than 1/],
  ['a value of another place', { values: { a: { 'form.x': 1 } } }, /values\.a/],
  [
    'a law of another kind',
    { laws: { filters: [{ operation: 'a' }] } },
    /laws\.filters\.0 must have required property/,
  ],
  ['a practice that there is not', { laws: { practices: ['kindness'] } }, /practices\.0 must be one of echo, place/],
  ['hooks that cannot be loaded', { hooks: 'no.mjs' }, /the hooks .*no\.mjs cannot be loaded/],
  ['no object', [1], /it must be object/],
  ['no YAML', 'a: [', /neither YAML nor JSON/],
])('%s is told before anything is sent', async (_, config, message) => {
  const failed = readContractConfig(await configure(config));
  await expect(failed).rejects.toThrow(CouldNotRun);
  await expect(failed).rejects.toThrow(message);
});

test.each([
  ['an unknown operation left out', { leaveOut: { nope: 'no' } }, /leaveOut names nope, which is not an operation/],
  ['values of an unknown operation', { values: { nope: { 'path.id': 1 } } }, /values name the operation nope/],
  [
    'values from an unknown operation',
    { values: { '*': { 'path.id': 'from nope' } } },
    /values name the operation nope/,
  ],
  ['a parameter that it has not', { values: { order: { 'query.x': 1 } } }, /the values of order name query\.x/],
  [
    'a hook that throws',
    { hooks: { request: () => Promise.reject(new Error('no key')) } },
    /hook request failed: no key/,
  ],
])('%s is told', async (_, options, message) => {
  const { url } = await startShop();
  const failed = testContract({ url, spec: document, token: TOKEN, ...options });
  await expect(failed).rejects.toThrow(CouldNotRun);
  await expect(failed).rejects.toThrow(message);
});

test('each member of the file becomes an option, with what it names read in', async () => {
  vi.stubEnv('LATCHKEY_TEST_PASSWORD', ' the password\n');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const secret = { env: 'LATCHKEY_TEST_PASSWORD' };
  const members = {
    $schema: 'node_modules/latchkey/contract/config/contract.schema.json',
    url: 'http://127.0.0.1:3000',
    spec: 'https://example.org/openapi.yaml',
    token: { file: 'token.txt' },
    credentials: { key: { file: 'token.txt' } },
    login: { username: 'ada', password: secret },
    other: [{ token: { file: 'token.txt' } }, { login: { username: 'bob', password: secret } }],
    shared: ['listCountries'],
    headers: { 'X-Tenant': 'acme', 'X-Gateway-Key': { file: 'token.txt' } },
    only: 'Orders',
    leaveOut: { send: 'it sends mail' },
    values: { '*': { 'path.id': 1 } },
    checks: ['body'],
    excludeChecks: ['status'],
    seeds: [7, 11],
    time: '2m',
    answerTimeout: '500ms',
    maxResponseTime: '3s',
    fuzzRuns: 5,
    allowIncomplete: true,
    hooks: './hooks.mjs',
    maxFaults: 3,
    laws: { practices: ['echo'] },
  };
  // A member that is added to the schema is to be added here.
  expect(Object.keys(members).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
  const others = { 'token.txt': `${TOKEN}\n`, 'hooks.mjs': 'export const tearDown = () => {};' };
  const { hooks, ...options } = await readContractConfig(await configure(members, others));
  expect(Object.keys(hooks ?? {})).toEqual(['tearDown']);
  const { $schema, url, spec, shared, only, leaveOut, values, checks, excludeChecks, seeds, laws } = members;
  expect(options).toEqual({
    ...{ $schema, url, spec, shared, only, leaveOut, values, checks, excludeChecks, seeds, laws },
    token: TOKEN,
    credentials: { key: TOKEN },
    login: { username: 'ada', password: 'the password' },
    other: [{ token: TOKEN }, { login: { username: 'bob', password: 'the password' } }],
    headers: { 'X-Tenant': 'acme', 'X-Gateway-Key': TOKEN },
    timeMs: 120_000,
    answerTimeoutMs: 500,
    maxResponseMs: 3_000,
    fuzzRuns: 5,
    allowIncomplete: true,
    maxFaults: 3,
  });
});

test('every configuration in the documentation fits the JSON Schema, and so does that of our own laws', async () => {
  const fits = addFormats.default(new Ajv2020({ strict: false, allErrors: true })).compile(schema);
  const pages = ['README.md', ...(await readdir('docs/guide')).map((name) => `docs/guide/${name}`)];
  const texts = await Promise.all(pages.map((page) => readFile(page, 'utf8')));
  const blocks = texts
    .flatMap((page) => [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, block = '']) => block))
    .filter((block) => /^(laws|url|spec|token|values|hooks):/m.test(block));
  expect(blocks.length).toBeGreaterThanOrEqual(2);
  for (const block of [...blocks, await readFile('openapi.laws.yaml', 'utf8')]) {
    fits(parse(block));
    expect(fits.errors ?? [], block).toEqual([]);
  }
});

test('the JSON Schema has every law, practice and option that there is', () => {
  const { laws } = schema.$defs;
  expect(laws.properties.filters.items.properties.compare.enum).toEqual(Object.keys(COMPARISONS));
  expect(laws.properties.practices.items.enum).toEqual(Object.keys(PRACTICES));
  expect(Object.keys(CHECKS)).toContain('hook');
});
