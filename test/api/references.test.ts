import { describe, expect, test } from 'vitest';
import { createAccessToken, createPrivateToken, getAccessToken } from '../../generated/index.js';
import { ANY_NUMBER, ANY_STRING, matching } from '../support/matchers.js';
import { answered, type Person, type Service, startService } from '../support/service.js';
import { answersIn, openConnection, type RawAnswer } from '../support/socket.js';

// The requests of the two reference pages, byte by byte. Only what the pages leave to the reader is put in: the token,
// an id, and a date that is not over.

async function exchangeOne({ url }: Service, request: string): Promise<RawAnswer> {
  const connection = await openConnection(url);
  connection.write(request.replaceAll('\n', '\r\n'));
  await connection.until('\r\n\r\n');
  connection.socket.end();
  const [answer, ...more] = answersIn(await connection.closed);
  expect(more).toEqual([]);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

const DATE_TIME = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

describe('the reference of the private tokens', () => {
  const head = (line: string, token: string) => `${line}\nHost: saas.haut.ai\nAuthorization: Bearer ${token}\n`;
  const PRINTED = { id: ANY_NUMBER, name: 'text', expiration_time: '2031-10-08T16:21:50.095Z' };

  async function create({ client }: Person) {
    const body = { name: 'text', expiration_time: PRINTED.expiration_time };
    return await answered(createPrivateToken({ client, body }));
  }

  test('creates as printed', async () => {
    const service = await startService();
    const { token } = await service.admin();
    // The page counts the body without the white space that it prints.
    const body = '{"name":"text","expiration_time":"2031-10-08T16:21:50.095Z"}';
    const request = `${head('POST /api/v1/auth/private_tokens/ HTTP/1.1', token)}Content-Type: application/json
Accept: */*
Content-Length: 60

${body}`;
    const answer = await exchangeOne(service, request);
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body)).toEqual({ ...PRINTED, data: ANY_STRING });
  });

  test('creates with the body laid out as printed', async () => {
    const service = await startService();
    const { token } = await service.admin();
    const body = ['{', '  "name": "text",', '  "expiration_time": "2031-10-08T16:21:50.095Z"', '}'].join('\r\n');
    const request = `${head('POST /api/v1/auth/private_tokens/ HTTP/1.1', token)}Content-Type: application/json
Accept: */*
Content-Length: ${String(body.length)}

`;
    const answer = await exchangeOne(service, `${request}${body.replaceAll('\r', '')}`);
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body)).toEqual({ ...PRINTED, data: ANY_STRING });
  });

  test('lists as printed', async () => {
    const service = await startService();
    const admin = await service.admin();
    await create(admin);
    const request = `${head('GET /api/v1/auth/private_tokens/ HTTP/1.1', admin.token)}Accept: */*\n\n`;
    const answer = await exchangeOne(service, request);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ count: 1, next: null, previous: null, results: [PRINTED] });
  });

  test('lists with the four parameters that the page names', async () => {
    const service = await startService();
    const admin = await service.admin();
    for (let i = 0; i < 3; i++) await create(admin);
    const path = '/api/v1/auth/private_tokens/?ordering=name&q=text&page=2&page_size=1';
    const answer = await exchangeOne(service, `${head(`GET ${path} HTTP/1.1`, admin.token)}Accept: */*\n\n`);
    expect(JSON.parse(answer.body)).toEqual({
      count: 3,
      next: matching(/^http:.*\bpage=3\b/),
      previous: matching(/^http:.*\bpage=1\b/),
      results: [PRINTED],
    });
  });

  test('revokes as printed', async () => {
    const service = await startService();
    const admin = await service.admin();
    const { id } = await create(admin);
    const line = `DELETE /api/v1/auth/private_tokens/${String(id)}/ HTTP/1.1`;
    const answer = await exchangeOne(service, `${head(line, admin.token)}Accept: */*\n\n`);
    expect(answer).toMatchObject({ status: 204, body: '' });
  });
});

describe('the reference of the access tokens', () => {
  /** What curl sends for the command on the page, with the credential that the page names. */
  const curl = (method: string, path: string, credential: string, body?: string) =>
    `${method} ${path} HTTP/1.1\nHost: loading\nUser-Agent: curl/8.5.0\nAccept: */*\n${credential}\n${
      body === undefined ? '' : `Content-Type: application/json\nContent-Length: ${String(body.length)}\n`
    }\n${body ?? ''}`;
  const places: [string, (token: string) => string][] = [
    ['authorization', (token) => `authorization: Bearer ${token}`],
    ['X-API-Key', (token) => `X-API-Key: ${token}`],
    ['vai_token', (token) => `Cookie: vai_token=${token}`],
  ];
  const orNull = (value: unknown) => expect.toBeOneOf([value, null]) as unknown;
  const ANY_SCOPES: unknown = expect.arrayContaining(['tokens:read']);
  // What the page prints, and what came later.
  const TOKEN = {
    description: '',
    disabled: false,
    metadata: {},
    previousSecret: null,
    scopes: ANY_SCOPES,
    createdAt: DATE_TIME,
    expiresAt: orNull(DATE_TIME),
    id: ANY_STRING,
    lastUsedAt: orNull(DATE_TIME),
    name: ANY_STRING,
    revokedAt: orNull(DATE_TIME),
    tokenPrefix: ANY_STRING,
    tokenType: matching(/^(session|pat)$/),
  };
  const INVALID = { detail: [{ loc: ['body', 'name'], msg: ANY_STRING, type: ANY_STRING }] };

  test.each(places)('works as printed with a token in %s', async (_, credential) => {
    const service = await startService();
    const { client, token } = await service.admin();
    const call = (method: string, path: string, body?: string) =>
      exchangeOne(service, curl(method, path, credential(token), body));

    const created = await call('POST', '/api/v1/access-tokens', '{ "name": "string" }');
    expect(created.status).toBe(201);
    expect(JSON.parse(created.body)).toEqual({ plaintext: ANY_STRING, token: { ...TOKEN, name: 'string' } });

    const refused = await call('POST', '/api/v1/access-tokens', '{ "name": "" }');
    expect(refused.status).toBe(422);
    expect(JSON.parse(refused.body)).toEqual(INVALID);

    const listed = await call('GET', '/api/v1/access-tokens');
    expect(listed.status).toBe(200);
    expect(JSON.parse(listed.body)).toEqual({ items: [TOKEN, TOKEN], nextCursor: null });

    const { token: other } = await answered(createAccessToken({ client, body: { name: 'other' } }));
    const got = await call('GET', `/api/v1/access-tokens/${other.id}`);
    expect(got.status).toBe(200);
    expect(JSON.parse(got.body)).toEqual(TOKEN);

    const revoked = await call('DELETE', `/api/v1/access-tokens/${other.id}`);
    expect(revoked).toMatchObject({ status: 204, body: '' });
    expect((await answered(getAccessToken({ client, path: { token_id: other.id } }))).revokedAt).not.toBeNull();

    const all = await call('DELETE', '/api/v1/access-tokens');
    expect(all.status).toBe(200);
    expect(JSON.parse(all.body)).toEqual({ revokedCount: 1 });
  });

  test('takes the parameters that the page names', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    for (const name of ['a', 'b']) await createAccessToken({ client, body: { name, expiresInDays: 30 } });
    const credential = `X-API-Key: ${token}`;
    const path = '/api/v1/access-tokens?tokenType=pat&includeRevoked=true&limit=1';
    const first = await exchangeOne(service, curl('GET', path, credential));
    expect(JSON.parse(first.body)).toEqual({ items: [TOKEN], nextCursor: ANY_STRING });
    const { nextCursor } = JSON.parse(first.body) as { nextCursor: string };
    const second = await exchangeOne(service, curl('GET', `${path}&cursor=${nextCursor}`, credential));
    expect(JSON.parse(second.body)).toEqual({ items: [TOKEN], nextCursor: null });
    const all = await exchangeOne(service, curl('DELETE', '/api/v1/access-tokens?exclude_current=false', credential));
    expect(JSON.parse(all.body)).toEqual({ revokedCount: 3 });
  });
});
