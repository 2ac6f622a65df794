import { expect, test } from 'vitest';
import { type ContractOptions, CouldNotRun, testContract, toHtml, toJUnit, toSummary } from '../../contract/index.js';
import { type SmallRequest, startSmall } from './planted/small.js';

// What a run is given to authenticate with: where it goes, when it is refused, and that no report tells it.

const schemes = {
  bearer: { type: 'http', scheme: 'bearer' },
  basic: { type: 'http', scheme: 'basic' },
  key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
  asQuery: { type: 'apiKey', in: 'query', name: 'api_key' },
  asCookie: { type: 'apiKey', in: 'cookie', name: 'session' },
  digest: { type: 'http', scheme: 'digest' },
};

function document(names: (keyof typeof schemes)[], path = '/me') {
  const parameters = path.includes('{') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : [];
  const responses = { 200: { description: 'ok' }, 401: { description: 'no' }, 404: { description: 'unknown' } };
  return {
    openapi: '3.1.0',
    info: { title: 'Doors', version: '1' },
    security: names.map((name) => ({ [name]: [] })),
    paths: { [path]: { get: { operationId: 'getMe', parameters, responses } } },
    components: { securitySchemes: schemes },
  };
}

function isOpen(good: string) {
  return ({ headers, query }: SmallRequest) =>
    [
      headers.authorization?.replace(/^bearer/i, 'Bearer') === `Bearer ${good}`,
      headers.authorization?.replace(/^basic/i, 'Basic') === `Basic ${Buffer.from(good).toString('base64')}`,
      headers['x-api-key'] === good,
      query.get('api_key') === good,
      headers.cookie === `session=${encodeURIComponent(good)}`,
    ].some((each) => each);
}

async function run(good: string, options: Partial<ContractOptions>, broken = false) {
  const opens = isOpen(good);
  const url = await startSmall((request) => {
    if (!opens(request)) return { status: 401 };
    if (request.method !== 'GET') return { status: 405, headers: { Allow: 'GET' } };
    return { status: broken ? 500 : 200 };
  });
  return await testContract({ url, seed: 1, ...options });
}

test.each([
  ['bearer', 'k9!'],
  ['key', 'k9!'],
  ['asQuery', 'k9!'],
  ['asCookie', 'k9!'],
  ['basic', 'ada:k9!'],
] as const)('a credential of few characters is in no report: %s', async (name, good) => {
  for (const given of [{ token: good }, { credentials: { [name]: good } }]) {
    const report = await run(good, { spec: document([name]), ...given }, true);
    expect(report.failures[0]?.curl, toSummary(report)).toMatch(/\$TOKEN/);
    const texts = [JSON.stringify(report), toSummary(report), toHtml(report), toJUnit(report)].join('\n');
    expect(texts).not.toContain('k9!');
    expect(texts).not.toContain(encodeURIComponent('k9!'));
    expect(texts).not.toContain(Buffer.from(good).toString('base64'));
  }
});

test('a password and a header that opens something are in no report, however short they are', async () => {
  const login = { operationId: 'logIn', security: [], responses: { 200: { description: 'ok' } } };
  const fields = { type: 'object', required: ['email', 'password'], properties: { email: {}, password: {} } };
  for (const name of ['email', 'password'] as const) fields.properties[name] = { type: 'string' };
  const base = document(['bearer']);
  const requestBody = { required: true, content: { 'application/json': { schema: fields } } };
  const spec = { ...base, paths: { ...base.paths, '/login': { post: { ...login, requestBody } } } };
  const url = await startSmall(({ path }) =>
    path === '/login' ? { status: 418, body: { token: 'a-token-of-the-session' } } : { status: 200 },
  );
  const report = await testContract({
    url,
    spec,
    token: 'a-token-of-the-session',
    login: { username: 'ada', password: 'pw1' },
    headers: { 'X-Gateway-Key': 'gw1' },
    seed: 1,
    only: 'logIn',
  });
  const text = JSON.stringify(report);
  expect(text).not.toMatch(/"pw1|\bgw1\b/);
  expect(report.failures.map(({ curl }) => curl).join('\n')).toContain('$PASSWORD');
  expect(report.failures.map(({ curl }) => curl).join('\n')).toContain('-H "X-Gateway-Key: $X_GATEWAY_KEY"');
});

test('white space around a credential, as a file has it, is no part of it', async () => {
  const report = await run('the-good-one', { spec: document(['bearer']), token: ' the-good-one\n' });
  expect(report.failures, toSummary(report)).toEqual([]);
  const perScheme = await run('the-good-one', { spec: document(['key']), credentials: { key: 'the-good-one\r\n' } });
  expect(perScheme.failures, toSummary(perScheme)).toEqual([]);
});

test('only the ways for which there is a credential are tried with a good one', async () => {
  const report = await run('the-good-one', {
    spec: document(['bearer', 'key']),
    credentials: { key: 'the-good-one' },
  });
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.operations[0]?.seen['200']).toBeGreaterThan(0);
});

test.each([
  ['an unknown scheme', ['bearer'], { credentials: { beerer: 'x' } }, /no security scheme beerer: it has bearer,/],
  [
    'a scheme that cannot be tried',
    ['digest'],
    { credentials: { digest: 'x' } },
    /do not support the kind of security scheme digest/,
  ],
  ['a token that the server rejects', ['bearer'], { token: 'bad' }, /rejects the credential: getMe answers 401/],
  ['an empty token', ['bearer'], { token: '\n' }, /the credential is empty/],
  ['a token that no header can carry', ['bearer'], { token: 'a\u2192b' }, /a header cannot contain/],
  [
    'one of two that the server rejects',
    ['bearer', 'key'],
    { token: 'the-good-one', credentials: { key: 'bad' } },
    /the server rejects the credential of key: getMe answers 401/,
  ],
] as const)('%s stops the run at once', async (_, names, given, message) => {
  const failed = run('the-good-one', { spec: document([...names]), ...given });
  await expect(failed).rejects.toThrow(CouldNotRun);
  await expect(failed).rejects.toThrow(message);
});

test('where every GET is about something, any of them tells whether a credential opens anything', async () => {
  const spec = document(['bearer'], '/things/{id}');
  await expect(run('the-good-one', { spec, token: 'bad' })).rejects.toThrow(
    /rejects the credential: getMe answers 401/,
  );
  const report = await run('the-good-one', { spec, token: 'the-good-one' });
  expect(report.failures, toSummary(report)).toEqual([]);
});

test('where a document has no GET to ask, the first requests tell whether a credential opens anything', async () => {
  const base = document(['bearer']);
  const post = (operationId: string) => ({ post: { ...base.paths['/me']?.get, operationId } });
  const spec = { ...base, paths: { '/things': post('makeThing'), '/mails': post('sendMail') } };
  const url = await startSmall(({ method, headers }) => {
    if (method !== 'POST') return { status: 405, headers: { Allow: 'POST' } };
    return { status: headers.authorization?.toLowerCase() === 'bearer the-good-one' ? 200 : 401 };
  });
  await expect(testContract({ url, spec, token: 'bad', seed: 1 })).rejects.toThrow(
    /rejects the credential: makeThing answers 401, sendMail answers 401/,
  );
  const report = await testContract({ url, spec, token: 'the-good-one', seed: 1 });
  expect(report.failures, toSummary(report)).toEqual([]);
});
