import { expect, test } from 'vitest';
import { listAccessTokens } from '../../generated/index.js';
import { REQUEST_TIMEOUT } from '../../server/http/connections.js';
import { answered, startService } from '../support/service.js';
import { answersIn, exchange, openConnection } from '../support/socket.js';

const ID = /^[A-Za-z0-9._-]{1,128}$/;

test('unfinished headers and dripping requests are closed after a time, which is half a minute at most', {
  timeout: 15_000,
}, async () => {
  // The server looks at its connections five times in that time.
  expect(REQUEST_TIMEOUT * 1.2).toBeLessThanOrEqual(30_000);
  const { url } = await startService({ requestTimeout: 1_500 });
  const drip = (text: string) => async () => {
    const connection = await openConnection(url);
    connection.write(text);
    const timer = setInterval(() => {
      connection.write('a');
    }, 100);
    const received = await connection.closed;
    clearInterval(timer);
    return received;
  };
  const hang = (text: string) => async () => {
    const connection = await openConnection(url);
    connection.write(text);
    return await connection.closed;
  };
  const post = 'POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n';
  const cases = {
    'half a request line': hang('GET /heal'),
    'half a header': hang('GET /healthz HTTP/1.1\r\nHost: here\r\nX-Unfin'),
    'no empty line': hang('GET /healthz HTTP/1.1\r\nHost: here\r\n'),
    'a dripping header': drip('GET /healthz HTTP/1.1\r\nHost: here\r\nX-Drip: '),
    'a second request that is unfinished': hang('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\nGET /heal'),
    'a body that never comes': hang(`${post}Content-Length: 99\r\n\r\n`),
    'a dripping body': drip(`${post}Content-Length: 9999\r\n\r\n`),
    'a dripping chunk': drip(`${post}Transfer-Encoding: chunked\r\n\r\nffff\r\n`),
  };
  const runs = Object.entries(cases).map(async ([name, run]) => {
    const answers = answersIn(await run());
    expect(answers.length, name).toBeLessThanOrEqual(name.startsWith('a second') ? 2 : 1);
    for (const { status, headers } of answers) {
      expect([200, 408], name).toContain(status);
      expect(headers.get('x-request-id'), name).toMatch(ID);
    }
  });
  await Promise.all(runs);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('CONNECT is 405, with every method that some path knows', async () => {
  const { url } = await startService();
  const [answer] = answersIn(await exchange(url, 'CONNECT there:443 HTTP/1.1\r\nHost: there\r\n\r\n'));
  expect(answer).toMatchObject({ status: 405, body: '{"detail":"Method Not Allowed.","code":"method_not_allowed"}' });
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const methods = Object.values(paths).flatMap((path) => Object.keys(path).filter((name) => name !== 'parameters'));
  const known = [...new Set(methods.map((method) => method.toUpperCase())), 'HEAD', 'OPTIONS'];
  expect(answer?.headers.get('allow')?.split(', ').sort()).toEqual(known.sort());
});

test('headers that are too large are 431', async () => {
  const { url } = await startService();
  const answers = answersIn(
    await exchange(url, `GET /healthz HTTP/1.1\r\nHost: here\r\nX-Large: ${'x'.repeat(70_000)}\r\n\r\n`),
  );
  expect(answers.map(({ status }) => status)).toEqual([431]);
  expect(answers[0]?.headers.get('connection')).toBe('close');
  expect(answers[0]?.headers.get('x-request-id')).toMatch(ID);
  expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ detail: expect.any(String) as string });
});

test.each([
  ['no HTTP at all', 'how do you do?\r\n\r\n'],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a space in the path', 'GET /heal thz HTTP/1.1\r\nHost: here\r\n\r\n'],
  ['another version', 'GET /healthz HTTP/9.9\r\nHost: here\r\n\r\n'],
  ['a header without a colon', 'GET /healthz HTTP/1.1\r\nHost: here\r\nnonsense\r\n\r\n'],
  ['a space before the colon', 'GET /healthz HTTP/1.1\r\nHost : here\r\n\r\n'],
  ['a folded header', 'GET /healthz HTTP/1.1\r\nHost: here\r\nX-Long: a\r\n b\r\n\r\n'],
  ['NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: here\r\nX-Nul: a\0b\r\n\r\n'],
  ['two lengths', 'POST /healthz HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a negative length', 'POST /healthz HTTP/1.1\r\nHost: here\r\nContent-Length: -1\r\n\r\n'],
  ['an unknown method', 'BREW /healthz HTTP/1.1\r\nHost: here\r\n\r\n'],
])('%s is answered once with 400 in JSON and a request id', async (_, text) => {
  const { url } = await startService();
  const answers = answersIn(await exchange(url, text));
  expect(answers.map(({ status }) => status)).toEqual([400]);
  const [{ headers, body } = { headers: new Map<string, string>(), body: '' }] = answers;
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('x-request-id')).toMatch(ID);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(JSON.parse(body)).toEqual({ code: 'bad_request', detail: expect.stringMatching(/\w/) as string });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test.each([
  ['no Host', 'Accept: */*'],
  ['an empty body where one is due, and an expectation that nobody knows', 'Host: here\r\nExpect: tea'],
])('%s is 400 in JSON and a request id', async (_, headers) => {
  const { url } = await startService();
  const request = `POST /api/v1/auth/login/ HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n${headers}\r\n\r\n`;
  const answers = answersIn(await exchange(url, request));
  expect(answers.map(({ status }) => status)).toEqual([400]);
  expect(answers[0]?.headers.get('x-request-id')).toMatch(ID);
  expect(JSON.parse(answers[0]?.body ?? '')).toBeTypeOf('object');
});

test.each([
  ['chunked first', 'Transfer-Encoding: chunked\r\nContent-Length: 4'],
  ['the length first', 'Content-Length: 4\r\nTransfer-Encoding: chunked'],
  ['an unknown coding', 'Transfer-Encoding: xchunked\r\nContent-Length: 4'],
  ['a hidden coding', 'Transfer-Encoding: chunked, identity\r\nContent-Length: 4'],
  ['a coding after a tab', 'Transfer-Encoding:\tchunked\r\nContent-Length: 4'],
])('Transfer-Encoding beside Content-Length, %s, gets one answer at most and smuggles nothing', async (_, headers) => {
  const service = await startService();
  const { client, token } = await service.admin();
  const body = JSON.stringify({ name: 'smuggled' });
  const smuggled =
    `POST /api/v1/access-tokens HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nX-Request-Id: smuggled\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;
  const outer =
    `POST /api/v1/access-tokens HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n` +
    `Content-Type: application/json\r\n${headers}\r\n\r\n0\r\n\r\n`;
  const answers = answersIn(await exchange(service.url, outer + smuggled));
  expect(answers.length).toBeLessThanOrEqual(1);
  for (const { status } of answers) expect(status).toBe(400);
  expect(service.log.join('')).not.toContain('smuggled');
  expect((await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }))).items).toEqual([]);
});

test('pipelined requests are answered in their order, a slow one before a fast one', async () => {
  const service = await startService();
  const { email, password, token } = await service.admin();
  const login = JSON.stringify({ username: email, password });
  const create = JSON.stringify({ name: 'pipelined' });
  const requests = [
    `POST /api/v1/auth/login/ HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${String(login.length)}`,
    'GET /healthz HTTP/1.1',
    `POST /api/v1/access-tokens HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${String(create.length)}`,
    'GET /nowhere HTTP/1.1',
    'GET /api/v1/auth/me HTTP/1.1\r\nConnection: close',
  ];
  const bodies = [login, '', create, '', ''];
  const text = requests.map(
    (request, index) => `${request}\r\nHost: here\r\nX-Request-Id: nr-${String(index)}\r\n\r\n${bodies[index] ?? ''}`,
  );
  const answers = answersIn(await exchange(service.url, text.join('')));
  expect(answers.map(({ status, headers }) => [headers.get('x-request-id'), status])).toEqual([
    ['nr-0', 200],
    ['nr-1', 200],
    ['nr-2', 201],
    ['nr-3', 404],
    ['nr-4', 401],
  ]);
});

test('a request that is answered slowly keeps its own answer where garbage follows it', async () => {
  const service = await startService();
  const { email, password } = await service.admin();
  const login = JSON.stringify({ username: email, password });
  const request =
    'POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nX-Request-Id: slow\r\n' +
    `Content-Length: ${String(login.length)}\r\n\r\n${login}`;
  const [answer] = answersIn(await exchange(service.url, `${request}how do you do?\r\n\r\n`));
  expect([answer?.headers.get('x-request-id'), answer?.status]).toEqual(['slow', 200]);
});

test.each([
  ['different', (token: string) => [token, 'lk_pat_another']],
  ['different, the good one last', (token: string) => ['lk_pat_another', token]],
])('two Authorization headers, %s, are 401', async (_, pick) => {
  const service = await startService();
  const { token } = await service.admin();
  const headers = pick(token).map((each) => `Authorization: Bearer ${each}\r\n`);
  const request = (lines: string) => `GET /api/v1/auth/me HTTP/1.1\r\nHost: here\r\nConnection: close\r\n${lines}\r\n`;
  const [good] = answersIn(await exchange(service.url, request(`Authorization: Bearer ${token}\r\n`)));
  expect(good?.status).toBe(200);
  const [answer] = answersIn(await exchange(service.url, request(headers.join(''))));
  expect(answer?.status).toBe(401);
  expect(answer?.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
});

test('Upgrade is ignored: the request and those pipelined around it are answered in their order', async () => {
  const service = await startService();
  const { email, password } = await service.admin();
  const login = JSON.stringify({ username: email, password });
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  const post = `POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${String(login.length)}\r\n`;
  const text =
    `${post}X-Request-Id: nr-0\r\n\r\n${login}` +
    `GET /healthz HTTP/1.1\r\nHost: here\r\nX-Request-Id: nr-1\r\n${upgrade}\r\n` +
    `${post}X-Request-Id: nr-2\r\n${upgrade}\r\n${login}` +
    'GET /nowhere HTTP/1.1\r\nHost: here\r\nX-Request-Id: nr-3\r\nConnection: close\r\n\r\n';
  const answers = answersIn(await exchange(service.url, text));
  expect(answers.map(({ status, headers }) => [headers.get('x-request-id'), status])).toEqual([
    ['nr-0', 200],
    ['nr-1', 200],
    ['nr-2', 200],
    ['nr-3', 404],
  ]);
});

test('what arrives while a request with Upgrade waits for an earlier answer is answered, too', async () => {
  const service = await startService();
  const { email, password } = await service.admin();
  const login = JSON.stringify({ username: email, password });
  const connection = await openConnection(service.url);
  connection.write(
    'GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n' +
      `POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${String(login.length)}\r\n\r\n${login}` +
      'GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  await connection.until('HTTP/1.1 200');
  connection.write('GET /nowhere HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  const answers = answersIn(await connection.closed);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
});

test('each of many requests with Upgrade on one connection is done once, and Node warns of nothing', async () => {
  const service = await startService();
  const { token, client } = await service.admin();
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  const connection = await openConnection(service.url);
  for (let index = 0; index < 15; index++) {
    const body = JSON.stringify({ name: `upgraded ${String(index)}` });
    connection.write(
      `POST /api/v1/access-tokens HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
  }
  await connection.until('upgraded 14');
  // A request that is done twice is done again before this one.
  connection.write('GET /nowhere HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  const answers = answersIn(await connection.closed);
  process.off('warning', note);
  expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 15 }, () => 201), 404]);
  const { items } = await answered(listAccessTokens({ client, query: { q: 'upgraded', limit: 100 } }));
  expect(items.length).toBe(15);
  expect(warnings).toEqual([]);
});

test('HTTP/1.0 with Transfer-Encoding is answered, and closes the connection without a look at what follows', async () => {
  const service = await startService();
  const text =
    'POST /api/v1/auth/login/ HTTP/1.0\r\nHost: here\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n' +
    'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n';
  const [answer, ...more] = answersIn(await exchange(service.url, `${text}GET /behind HTTP/1.1\r\nHost: here\r\n\r\n`));
  expect(answer?.status).toBe(400);
  expect(answer?.headers.get('connection')).toBe('close');
  expect(more).toEqual([]);
  expect(service.log.filter((line) => line.includes('"route":null'))).toEqual([]);
});
