import { expect, test } from 'vitest';
import { InvalidArgument } from '../../server/index.js';
import { send } from '../support/http.js';
import { plaintextOf, startLocal } from '../support/local-server.js';

test('a request is on record by the time its answer is there', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-01-01T00:00:00Z' } });
  const token = plaintextOf(server, 'deploy bot');
  for (let round = 0; round < 50; round++) {
    const json = { name: `token ${String(round)}`, expiresInDays: 1 };
    const answer = await send(server, 'POST /api/v1/access-tokens', { token, json });
    expect(server.requests.all().at(-1)).toMatchObject({
      number: round + 1,
      receivedAt: '2030-01-01T00:00:00.000Z',
      method: 'POST',
      path: '/api/v1/access-tokens',
      query: {},
      operationId: 'createAccessToken',
      headers: { authorization: 'Bearer lk_pat_deplo***', 'content-type': 'application/json' },
      body: json,
      requestId: answer.headers['x-request-id'],
      status: 201,
      outcome: 'answered',
      fault: null,
    });
  }
});

test('what is no operation is on record, too', async () => {
  const server = await startLocal();
  await send(server, 'GET /nowhere?q=a&q=b');
  await send(server, 'PATCH /healthz');
  expect(server.requests.all()).toMatchObject([
    { method: 'GET', path: '/nowhere', query: { q: 'b' }, operationId: null, status: 404, body: null },
    { method: 'PATCH', path: '/healthz', operationId: null, status: 405 },
  ]);
});

test('no secret is on record, wherever it was sent', async () => {
  const server = await startLocal();
  const token = plaintextOf(server, 'deploy bot');
  const session = await server.connection('ada@example.org').token();
  const secret = 'hunter2 hunter2';
  await send(server, 'POST /api/v1/auth/login/', { json: { username: 'ada@example.org', password: secret } });
  await send(server, 'POST /api/v1/auth/refresh/', { json: { refresh_token: secret } });
  await send(server, 'POST /api/v1/auth/refresh/', { json: { refresh_token: token } });
  await send(server, 'POST /api/v1/access-tokens', {
    json: { name: `see ${token}`, nested: [{ apiPassword: [secret] }] },
  });
  await send(server, `GET /api/v1/access-tokens?cursor=${token}`, { headers: { 'X-API-Key': token } });
  await send(server, `GET /api/v1/access-tokens/${token}`, { headers: { Authorization: `Basic ${secret}` } });
  await send(server, 'GET /api/v1/auth/me', { headers: { Cookie: `theme=${secret}; vai_token=${String(session)}` } });
  await send(server, 'GET /api/v1/auth/me', { headers: { Authorization: secret, 'X-API-Key': `${token}x` } });
  await send(server, 'GET /api/v1/auth/me?password=hunter2', { headers: { Cookie: secret } });
  await send(server, 'POST /api/v1/auth/login/', { body: `password=${secret}&token=${token}` });

  const records = server.requests.all();
  expect(records).toHaveLength(10);
  const text = JSON.stringify(records);
  for (const hidden of ['hunter2', token.slice(0, 14), String(session).slice(0, 14)])
    expect(text).not.toContain(hidden);
  expect(records.map(({ body }) => body)).toEqual([
    { username: 'ada@example.org', password: '***' },
    { refresh_token: '***' },
    { refresh_token: 'lk_pat_deplo***' },
    { name: 'see lk_pat_deplo***', nested: [{ apiPassword: '***' }] },
    null,
    null,
    null,
    null,
    null,
    expect.stringMatching(/^\[\d+ bytes\]$/),
  ]);
  expect(records[4]).toMatchObject({
    query: { cursor: 'lk_pat_deplo***' },
    headers: { 'x-api-key': 'lk_pat_deplo***' },
  });
  expect(records[6]?.headers['cookie']).toMatch(/^theme=\*\*\*; vai_token=lk_ses_.{5}\*\*\*$/);
});

test('a form is on record by its parameters, masked as JSON is', async () => {
  const server = await startLocal();
  const token = plaintextOf(server, 'deploy bot');
  const basic = Buffer.from(`gateway:${token}`).toString('base64');
  const form = async (path: string, body: string, contentType = 'application/x-www-form-urlencoded') => {
    await send(server, `POST ${path}`, {
      body,
      headers: { 'Content-Type': contentType, Authorization: `Basic ${basic}` },
    });
    return server.requests.all().at(-1);
  };
  expect(await form('/oauth/introspect', `token=${token}&token_type_hint=access_token`)).toMatchObject({
    operationId: 'introspectToken',
    status: 200,
    headers: { authorization: 'Basic ***' },
    body: { token: 'lk_pat_deplo***', token_type_hint: 'access_token' },
  });
  expect(await form('/oauth/revoke', 'token=hunter2%26&client_secret=hunter2&other=a+b')).toMatchObject({
    operationId: 'revokeOAuthToken',
    body: { token: '***', client_secret: '***', other: 'a b' },
  });
  expect(
    await form('/oauth/revoke', 'token=hunter2', 'Application/X-WWW-Form-URLEncoded; charset=utf-8'),
  ).toMatchObject({
    body: { token: '***' },
  });
  // What else is sent as a form has no names to mask by.
  expect(await form('/oauth/introspect', '{"token": "hunter2"}')).toMatchObject({ body: { token: '***' } });
  for (const raw of ['hunter2', '{"token": "hunter2"', `${token}&=hunter2`, 'hunter2==']) {
    expect((await form('/oauth/introspect', raw))?.body).toBe(`[${String(raw.length)} bytes]`);
  }
  const text = JSON.stringify(server.requests.all());
  for (const hidden of ['hunter2', token.slice(0, 14), basic]) expect(text).not.toContain(hidden);
});

test('the tokens that somebody asks about are masked, and keys are not', async () => {
  const server = await startLocal();
  const token = plaintextOf(server, 'deploy bot');
  const lk = server.client('deploy');
  await lk.verifyAccessToken({ body: { token } });
  await lk.verifyAccessTokens({ body: { tokens: [{ token }, { token: 'hunter2', scopes: ['deploy'] }] } });
  const json = { name: 'a', description: `was ${token}`, metadata: { team: 'platform', apiSecret: 'hunter2' } };
  await send(server, 'POST /api/v1/access-tokens', { token, json, headers: { 'Idempotency-Key': 'job-17/a' } });
  expect(server.requests.all()).toMatchObject([
    { operationId: 'verifyAccessToken', status: 200, body: { token: 'lk_pat_deplo***' } },
    {
      operationId: 'verifyAccessTokens',
      status: 200,
      body: { tokens: [{ token: 'lk_pat_deplo***' }, { token: '***', scopes: ['deploy'] }] },
    },
    {
      operationId: 'createAccessToken',
      status: 201,
      headers: { 'idempotency-key': 'job-17/a' },
      body: { name: 'a', description: 'was lk_pat_deplo***', metadata: { team: 'platform', apiSecret: '***' } },
    },
  ]);
  const text = JSON.stringify(server.requests.all());
  for (const hidden of ['hunter2', token.slice(0, 14)]) expect(text).not.toContain(hidden);
});

test('waitFor resolves with what is on record, and with what is yet to come', async () => {
  const server = await startLocal();
  const coming = server.requests.waitFor(({ operationId }) => operationId === 'getReadiness');
  await send(server, 'GET /healthz');
  await send(server, 'GET /readyz');
  expect(await coming).toMatchObject({ path: '/readyz', status: 200 });
  expect(await server.requests.waitFor(({ path }) => path === '/healthz')).toMatchObject({ number: 1 });
});

test('waitFor rejects when the time is over, with what came instead', async () => {
  const server = await startLocal();
  const none = server.requests.waitFor(() => false, { timeoutMs: 20 });
  await expect(none).rejects.toThrow('no matching request within 20 ms; none was received');
  await send(server, 'GET /healthz');
  server.faults.add({ drop: 'before-handler' });
  await send(server, 'GET /readyz').catch(() => undefined);
  await server.requests.waitFor(({ outcome }) => outcome === 'dropped');
  const never = server.requests.waitFor(({ path }) => path === '/never', { timeoutMs: 20 });
  await expect(never).rejects.toThrow(
    'no matching request within 20 ms; received: GET /healthz 200, GET /readyz dropped',
  );
  await expect(server.requests.waitFor(() => true, { timeoutMs: 0 })).rejects.toThrow(InvalidArgument);
  const broken = server.requests.waitFor(() => {
    throw new Error('of the test itself');
  });
  await expect(broken).rejects.toThrow('of the test itself');
});

test('the record is bounded, and can be cleared', async () => {
  const server = await startLocal();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let request = 0; request < 130; request++) await (await fetch(`${server.url}/healthz`)).text();
    }),
  );
  const numbers = server.requests.all().map(({ number }) => number);
  expect(numbers).toHaveLength(1_000);
  expect(numbers.at(0)).toBe(41);
  expect(numbers.at(-1)).toBe(1_040);
  server.requests.clear();
  expect(server.requests.all()).toEqual([]);
});

test('the largest body that the service takes is on record', async () => {
  const server = await startLocal();
  const token = plaintextOf(server, 'deploy bot');
  const metadata = Object.fromEntries(
    Array.from({ length: 16 }, (_, index) => [`name-${String(index)}`.padEnd(64, '.'), '😀'.repeat(256)]),
  );
  const json = { name: 'a', metadata };
  const body = JSON.stringify(json);
  const padded = body.padEnd(65_536 - Buffer.byteLength(body) + body.length);
  const answer = await send(server, 'POST /api/v1/access-tokens', { token, body: padded });
  expect(answer.status).toBe(201);
  expect(server.requests.all()[0]?.body).toEqual(json);
});

test.each(['application/json', 'application/x-www-form-urlencoded'])(
  'a body that is too large is refused as ever, and only its length is on record (%s)',
  async (type) => {
    const server = await startLocal();
    const token = plaintextOf(server, 'deploy bot');
    const body = `token=${'x'.repeat(70_000)}`;
    const headers = { 'Content-Type': type };
    const path = type.endsWith('json') ? '/api/v1/access-tokens' : '/oauth/introspect';
    const answer = await send(server, `POST ${path}`, { token, body, headers });
    expect(answer.status).toBe(413);
    expect(JSON.stringify(server.requests.all()[0]?.body)).toMatch(/^(null|"\[\d+ bytes\]")$/);
  },
);

test('what is given out does not reach the record', async () => {
  const server = await startLocal();
  await send(server, 'GET /healthz');
  const [record] = server.requests.all();
  if (record !== undefined) record.path = '/changed';
  expect(server.requests.all()[0]?.path).toBe('/healthz');
});
