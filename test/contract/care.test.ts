import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testContract, toSummary } from '../../contract/index.js';
import { type SmallReply, type SmallRequest, startSmall } from './planted/small.js';

// What a run takes care of, so that it neither ends its own credential nor what it has not made, and what it never
// tells.

const TOKEN = 'the-credential-of-the-run-0001';

const text = { type: 'string', minLength: 1, maxLength: 20 };
const anything = { 200: { description: 'ok' }, 201: { description: 'made' }, '4XX': { description: 'no' } };
const json = (schema: object) => ({ required: true, content: { 'application/json': { schema } } });

function spec(paths: object, securitySchemes: object = { bearer: { type: 'http', scheme: 'bearer' } }) {
  return {
    openapi: '3.1.0',
    info: { title: 'Careful', version: '1' },
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    paths,
    components: { securitySchemes },
  };
}

/** Answers as `answer` says where the credential is the run's, and keeps what was asked. */
async function record(
  answer: (request: SmallRequest) => SmallReply | Promise<SmallReply>,
  isGood: (sent: string) => boolean = (sent) => sent === `Bearer ${TOKEN}`,
) {
  const requests: SmallRequest[] = [];
  const url = await startSmall((request) => {
    requests.push(request);
    return isGood(request.headers.authorization ?? '') ? answer(request) : { status: 401 };
  });
  return { url, requests };
}

const me = { operationId: 'getMe', responses: anything };

test('what would lock the caller out of its account is not sent', async () => {
  const edit = { type: 'object', properties: { motto: text, password: text, disabled: { type: 'boolean' } } };
  const document = spec({
    '/me': {
      get: me,
      delete: { operationId: 'deleteMe', responses: anything },
      patch: {
        operationId: 'updateMe',
        requestBody: json({ ...edit, additionalProperties: false }),
        responses: anything,
      },
    },
    '/me/password': { put: { operationId: 'putPassword', requestBody: json(text), responses: anything } },
  });
  const { url, requests } = await record(() => ({ status: 422 }));
  const report = await testContract({ url, spec: document, token: TOKEN, seed: 3, fuzzRuns: 20 });
  const mine = requests.filter(({ headers }) => headers.authorization === `Bearer ${TOKEN}`);
  const edits = mine.filter(({ method, path }) => method === 'PATCH' && path === '/me').map(({ body }) => body);
  expect(edits).toContain('{"motto":"a"}');
  expect(edits.filter((body) => /^{"(password":"\w{1,20}"|disabled":(true|false))}$/.test(body))).toEqual([]);
  expect(mine.filter(({ method, path }) => method === 'DELETE' || /^\/me\/password/.test(path))).toEqual([]);
  expect(report.operations.map(({ operation, skipped }) => [operation, skipped])).toEqual([
    ['getMe', []],
    ['deleteMe', ["it may end the run's own credential, or things that the run has not created"]],
    [
      'updateMe',
      ["it would change password of the run's own account", "it would change disabled of the run's own account"],
    ],
    ['putPassword', ["it may end the run's own credential, or things that the run has not created"]],
  ]);
});

test('what may end the credential in use is not sent where none can be thrown away', async () => {
  const document = spec({
    '/me': { get: me },
    '/tokens/current': {
      delete: { operationId: 'revokeThis', responses: anything },
      patch: { operationId: 'editThis', requestBody: json({ type: 'object' }), responses: anything },
    },
    '/tokens/current/rotate': { post: { operationId: 'changeThis', responses: anything } },
    '/secret/regenerate': { post: { operationId: 'regenerateSecret', responses: anything } },
    '/logout-everywhere': { post: { operationId: 'logOutEverywhere', responses: anything } },
  });
  const { url, requests } = await record(() => ({ status: 200 }));
  const report = await testContract({ url, spec: document, token: TOKEN, seed: 3 });
  const declared = ['DELETE /tokens/current', 'PATCH /tokens/current', 'POST /tokens/current/rotate'];
  const sent = requests
    .filter(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)
    .map(({ method, path }) => `${method} ${path}`);
  for (const call of [...declared, 'POST /secret/regenerate', 'POST /logout-everywhere'])
    expect(sent).not.toContain(call);
  expect(report.operations.filter(({ skipped }) => skipped.length > 0)).toHaveLength(5);
});

test('what ends many things at once spares the credential in use, whether its query or its body says so', async () => {
  const flag = { type: 'boolean', default: true };
  const bulk = { type: 'object', properties: { kind: text, excludeCurrent: flag }, additionalProperties: false };
  const document = spec({
    '/me': { get: me },
    '/tokens/revoke': { post: { operationId: 'revokeTokens', requestBody: json(bulk), responses: anything } },
    '/messages/delete': { post: { operationId: 'deleteMessages', requestBody: json(text), responses: anything } },
  });
  const { url, requests } = await record(({ body }) => ({ status: body.startsWith('{') ? 200 : 422 }));
  const report = await testContract({ url, spec: document, token: TOKEN, seed: 3 });
  const bodies = requests.filter(({ method, path }) => method === 'POST' && path === '/tokens/revoke');
  expect(bodies.some(({ body }) => body.includes('"excludeCurrent":true'))).toBe(true);
  expect(bodies.filter(({ body }) => /"excludeCurrent":false/.test(body))).toEqual([]);
  expect(report.operations.map(({ operation, skipped }) => [operation, skipped])).toEqual([
    ['getMe', []],
    ['revokeTokens', ["without excludeCurrent=true it would end the run's own credential"]],
    ['deleteMessages', ["it may end the run's own credential, or things that the run has not created"]],
  ]);
});

test('what may be there but once is sent under ever other names, so that a fault behind the conflict is found', async () => {
  const thing = { type: 'object', required: ['name'], properties: { name: text }, additionalProperties: false };
  const content = { 'application/json': { schema: thing, example: { name: 'the one' } } };
  const document = spec({
    '/me': { get: me },
    '/things': { post: { operationId: 'make', requestBody: { required: true, content }, responses: anything } },
  });
  const names = new Set<unknown>();
  const { url } = await record(({ method, body, type }) => {
    if (method === 'GET') return { status: 200 };
    const { name } = (type === 'application/json' && body.startsWith('{"name":"') ? parsed(body) : {}) as {
      name?: string;
    };
    if (name === undefined || name === '' || Array.from(name).length >= 20) return { status: 422 };
    if (names.has(name)) return { status: 409 };
    names.add(name);
    return { status: 201 };
  });
  const report = await testContract({ url, spec: document, token: TOKEN, seed: 3, fuzzRuns: 10 });
  expect(report.operations.find(({ operation }) => operation === 'make')?.seen['201']).toBeGreaterThan(5);
  expect(report.failures.map(({ check, case: name }) => `${check}: ${name}`)).toContain(
    'acceptance: body /name: length 20',
  );
});

test('no two requests have one Idempotency-Key, whatever the seed, unless one repeats the other', async () => {
  const key = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string', minLength: 8, maxLength: 40 } };
  const thing = { type: 'object', required: ['name'], properties: { name: text }, additionalProperties: false };
  const document = spec({
    '/me': { get: me },
    '/things': { post: { operationId: 'make', parameters: [key], requestBody: json(thing), responses: anything } },
  });
  const seen = new Map<string, Set<string>>();
  for (const seed of [5, 5]) {
    const { url, requests } = await record(() => ({ status: 201 }));
    await testContract({ url, spec: document, token: TOKEN, seed, fuzzRuns: 5 });
    for (const { headers, body } of requests) {
      const sent = headers['idempotency-key'];
      if (typeof sent !== 'string' || sent.length < 16 || sent.length > 40) continue;
      seen.set(sent, (seen.get(sent) ?? new Set()).add(body));
    }
  }
  expect(seen.size).toBeGreaterThan(10);
  // The one that is meant to be refused: the key of an earlier request with another body, once in each run.
  expect([...seen.values()].filter((bodies) => bodies.size > 1)).toHaveLength(2);
});

test('of equal requests at once with one Idempotency-Key, a repetition may be answered before the first', async () => {
  const key = { name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string', minLength: 16 } };
  const thing = { type: 'object', required: ['name'], properties: { name: text }, additionalProperties: false };
  const made = { type: 'object', properties: { id: { type: 'string' }, name: text, secret: { type: 'string' } } };
  const responses = { ...anything, 201: { description: 'made', ...json(made) } };
  const document = spec({
    '/things': { post: { operationId: 'make', parameters: [key], requestBody: json(thing), responses } },
  });
  const answers = new Map<unknown, object>();
  let overtaken = 0;
  const { url } = await record(async ({ headers, body }) => {
    const { name, ...others } = { ...(parsed(body) as { name?: unknown } | null) };
    const sent = headers['idempotency-key'];
    if (sent === undefined || sent.length < 16 || Object.keys(others).length > 0) return { status: 422 };
    if (typeof name !== 'string' || name.length < 1 || name.length > 20) return { status: 422 };
    const before = answers.get(sent);
    const answer = before ?? { id: randomUUID(), name, secret: randomUUID() };
    answers.set(sent, answer);
    if (before === undefined) await sleep(20);
    else overtaken++;
    return { status: 201, body: answer };
  });
  const report = await testContract({ url, spec: document, token: TOKEN, seed: 3, fuzzRuns: 5 });
  expect(overtaken).toBeGreaterThan(0);
  expect(report.failures.filter(({ check }) => check === 'secrets')).toEqual([]);
});

test('by Basic a token is the password of some user, and no report has it in base64', async () => {
  const document = spec({ '/me': { get: me } }, { basic: { type: 'http', scheme: 'basic' } });
  const good = `Basic ${Buffer.from(`token:${TOKEN}`).toString('base64')}`;
  const { url } = await record(
    () => ({ status: 500 }),
    (sent) => sent === good,
  );
  const report = await testContract({ url, spec: document, token: TOKEN, seed: 3 });
  expect(report.failures[0]?.curl, toSummary(report)).toContain('-u "token:$TOKEN"');
  expect(JSON.stringify(report)).not.toContain(good.slice('Basic '.length));
  const named = await record(
    () => ({ status: 200 }),
    (sent) => sent === `Basic ${Buffer.from('ada:secret').toString('base64')}`,
  );
  const asAda = await testContract({ url: named.url, spec: document, token: 'ada:secret', seed: 3 });
  expect(asAda.failures.map(({ check }) => check)).not.toContain('authentication');
});

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
