import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { hasBrowser, startBrowser } from '../support/browser.js';
import { bundle } from '../support/bundle.js';
import { type Answer, send } from '../support/http.js';
import { ADMIN, startService } from '../support/service.js';

const PAGE = 'https://app.example.org';
const TOKENS = '/api/v1/access-tokens';
const EXPOSED = 'ETag, Location, X-Request-Id, Retry-After, Latchkey-Token-Expires-At';
const ASKED = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };

test('without an origin in the setting no answer has a header of CORS', async () => {
  const service = await startService();
  const answer = await send(service, `OPTIONS ${TOKENS}`, { headers: { Origin: PAGE, ...ASKED } });
  expect(answer).toMatchObject({ status: 204, headers: { allow: 'DELETE, GET, HEAD, POST, OPTIONS' } });
  expect(corsOf(answer)).toEqual({});
  expect(answer.headers.vary).toBeUndefined();
});

test.each([TOKENS, '/api/v1/auth/private_tokens/', '/oauth/introspect', '/nowhere'])(
  'a preflight of %s is answered before authentication, whatever its method and path',
  async (path) => {
    const service = await startService({ corsOrigins: ['https://other.example.org', PAGE] });
    const answer = await send(service, `OPTIONS ${path}`, { headers: { Origin: PAGE, ...ASKED } });
    expect(answer.status).toBe(204);
    expect(answer.headers.vary).toBe('Origin');
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'Authorization, X-API-Key, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id',
      'access-control-max-age': '7200',
      'access-control-expose-headers': EXPOSED,
    });
  },
);

test('answers and errors carry the headers for a named origin, and none for another', async () => {
  const service = await startService({ corsOrigins: [PAGE] });
  const { token } = await service.admin();
  const wrong = { username: ADMIN.email, password: 'a wrong password' };
  for (let attempt = 0; attempt < 10; attempt++) await send(service, 'POST /api/v1/auth/login/', { json: wrong });
  const cases = [
    [200, `GET ${TOKENS}`, { token }],
    [401, `GET ${TOKENS}`, {}],
    [403, `DELETE ${TOKENS}`, { headers: { Cookie: `vai_token=${token}`, 'Sec-Fetch-Site': 'cross-site' } }],
    [404, 'GET /nowhere', {}],
    [405, `PATCH ${TOKENS}`, {}],
    [422, `GET ${TOKENS}?limit=0`, { token }],
    [429, 'POST /api/v1/auth/login/', { json: wrong }],
  ] as const;
  for (const [status, line, parts] of cases) {
    const sent = (origin: string) => {
      const headers = 'headers' in parts ? parts.headers : {};
      return send(service, line, { ...parts, headers: { ...headers, Origin: origin } });
    };
    const named = await sent(PAGE);
    expect(named.status, line).toBe(status);
    expect(named.headers.vary, line).toBe('Origin');
    expect(corsOf(named), line).toEqual({
      'access-control-allow-origin': PAGE,
      'access-control-expose-headers': EXPOSED,
    });
    for (const origin of ['https://evil.example', `${PAGE}.evil.example`, 'http://app.example.org', 'null']) {
      const other = await sent(origin);
      expect(other.headers.vary, line).toBe('Origin');
      expect(corsOf(other), line).toEqual({});
    }
  }
  expect((await send(service, 'GET /healthz')).headers.vary).toBe('Origin');
});

test('with * every origin is allowed, without its cookies', async () => {
  const service = await startService({ corsOrigins: ['*'] });
  const answer = await send(service, `GET ${TOKENS}`, { headers: { Origin: 'https://anywhere.example' } });
  expect(corsOf(answer)).toMatchObject({ 'access-control-allow-origin': '*' });
  expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
});

test.each([
  'app.example.org',
  'https://app.example.org/path',
  'https://*.example.org',
  'null',
  '*, https://a.org',
  ',',
])('corsOrigins: %s is refused with what is allowed', async (text) => {
  await expect(startService({ corsOrigins: text.split(',') })).rejects.toThrow(
    'option corsOrigins must be origins such as https://app.example.org, separated by commas, or * alone',
  );
});

test.skipIf(!hasBrowser)(
  'a page of a named origin uses the bundled client in a browser, and reads errors',
  {
    timeout: 90_000,
  },
  async () => {
    const client = await bundle("export * from '@latchkey/client'");
    const [page, stranger] = [await servePage(client), await servePage(client)];
    const service = await startService({ corsOrigins: [page] });
    const browser = await startBrowser();
    const run = async (origin: string) => {
      const tab = await browser.newPage();
      await tab.goto(origin);
      const script = `(${inPage.toString()})(${JSON.stringify({ baseUrl: service.url, ...ADMIN })})`;
      return (await tab.evaluate(script)) as Awaited<ReturnType<typeof inPage>>;
    };
    expect(await run(page)).toEqual({
      email: ADMIN.email,
      created: 'made by a page',
      location: expect.stringContaining(`${TOKENS}/`) as string,
      etag: expect.stringMatching(/^"/) as string,
      requestId: expect.stringMatching(/^[\w-]+$/) as string,
      listed: ['made by a page'],
      refused: 'unauthorized',
      failure: null,
    });
    expect(await browser.cookies()).toEqual([]);
    const { failure } = await run(stranger);
    expect(failure).toContain('network_error');
    expect(failure).toContain(`LATCHKEY_CORS_ORIGINS does not contain ${stranger}`);
  },
);

/** Runs in the browser: everything that it uses is on the page. */
async function inPage({ baseUrl, email, password }: { baseUrl: string; email: string; password: string }) {
  const found = {
    email: '',
    created: '',
    location: '',
    etag: '',
    requestId: '',
    listed: [] as string[],
    refused: '',
    failure: null as string | null,
  };
  const { createLatchkey } = globalThis as unknown as typeof import('../../client/index.js');
  try {
    const client = createLatchkey({ baseUrl });
    const session = await client.logIn({ username: email, password });
    found.email = session.email;
    const { plaintext, token } = await client.createAccessToken({ body: { name: 'made by a page' } });
    found.created = token.name;
    const headers = { Authorization: `Bearer ${plaintext}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ name: 'for its headers', expiresInDays: 1 });
    const created = await fetch(`${baseUrl}/api/v1/access-tokens`, { method: 'POST', headers, body });
    found.location = created.headers.get('Location') ?? '';
    const { token: other } = (await created.json()) as { token: { id: string } };
    await client.revokeAccessToken({ path: { token_id: other.id } });
    const got = await fetch(`${baseUrl}/api/v1/access-tokens/${token.id}`, { headers });
    found.etag = got.headers.get('ETag') ?? '';
    found.requestId = got.headers.get('X-Request-Id') ?? '';
    for await (const { name } of client.accessTokens.all({ tokenType: 'pat' })) found.listed.push(name);
    await createLatchkey({ baseUrl, token: 'lk_pat_wrong' })
      .getMe()
      .catch((error: unknown) => {
        found.refused = (error as { code: string }).code;
      });
  } catch (error) {
    found.failure = `${String((error as { code?: string }).code)}: ${String(error)}`;
  }
  return found;
}

const PAGE_TEXT =
  '<!doctype html><script type="module">import * as all from "/client.js"; Object.assign(globalThis, all)</script>';

/** The origin of a server with a page and the client. */
async function servePage(client: string): Promise<string> {
  const server = createServer(({ url }, response) => {
    const type = url === '/client.js' ? 'text/javascript' : 'text/html';
    response.writeHead(200, { 'Content-Type': type }).end(url === '/client.js' ? client : PAGE_TEXT);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function corsOf({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));
}
