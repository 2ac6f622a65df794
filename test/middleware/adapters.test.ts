import { createHash, randomBytes } from 'node:crypto';
import { request as sendRequest } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { RefusalReason } from '../../client/middleware/index.js';
import type { VerifierOptions } from '../../client/middleware/options.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { type Answer, type RequestParts, send } from '../support/http.js';
import { UNKNOWN_TOKEN } from '../support/plaintext.js';
import { APPS, SCOPES, type Shown } from './apps.js';
import { createSetting, SERVICE, type Setting } from './setting.js';

const service = latchkeyPerFile(SERVICE);

const UNAUTHORIZED = { detail: 'Authentication is required: send a valid token.', code: 'unauthorized' };
const FOREIGN = 'https://evil.example';

interface Case {
  parts: (setting: Setting) => RequestParts;
  reason: RefusalReason;
  /** How many tokens the service is asked about. */
  asked: number;
  method?: string;
  before?: (setting: Setting) => unknown;
}

const bearer = (name: string) => (setting: Setting) => ({ token: setting.plaintext(name) });

/** What is refused with 401 where something was sent: all alike outside. */
const REFUSED: Record<string, Case> = {
  'a revoked token': { parts: bearer('revoked'), reason: 'revoked', asked: 1 },
  'a token revoked a moment ago': {
    parts: bearer('good'),
    before: ({ revoke }) => revoke('good'),
    reason: 'revoked',
    asked: 1,
  },
  'an expired token': {
    parts: bearer('short'),
    before: ({ service }) => {
      service.clock.advance(86_400_000);
    },
    reason: 'expired',
    asked: 1,
  },
  'a disabled token': { parts: bearer('disabled'), reason: 'disabled', asked: 1 },
  'a token of a disabled user': { parts: bearer('bob'), reason: 'owner_disabled', asked: 1 },
  'a token of nobody': { parts: () => ({ token: UNKNOWN_TOKEN }), reason: 'unknown', asked: 1 },
  'a token with a typing error': {
    parts: ({ plaintext }) => ({ token: plaintext('good').replace('good', 'gOod') }),
    reason: 'malformed',
    asked: 0,
  },
  'a refresh token': {
    parts: () => ({ token: 'lk_ref_000000000000000000000000000000000000' }),
    reason: 'malformed',
    asked: 0,
  },
  'another scheme': {
    parts: () => ({ headers: { Authorization: 'Basic YWRhOnNlY3JldA==' } }),
    reason: 'malformed',
    asked: 0,
  },
  'a scheme alone': { parts: () => ({ headers: { Authorization: 'Bearer' } }), reason: 'malformed', asked: 0 },
  'an empty key': { parts: () => ({ headers: { 'X-API-Key': '' } }), reason: 'malformed', asked: 0 },
  'ten thousand characters': { parts: () => ({ token: 'x'.repeat(10_000) }), reason: 'malformed', asked: 0 },
  'two places that disagree': {
    parts: ({ plaintext }) => ({ token: plaintext('good'), headers: { 'X-API-Key': plaintext('other') } }),
    reason: 'several',
    asked: 0,
  },
  'a cookie that disagrees': {
    parts: ({ plaintext }) => ({ token: plaintext('good'), headers: { Cookie: `vai_token=${plaintext('other')}` } }),
    reason: 'several',
    asked: 0,
  },
  'one header twice': {
    parts: ({ plaintext }) => ({
      headers: { Authorization: [`Bearer ${plaintext('good')}`, `Bearer ${plaintext('other')}`] },
    }),
    reason: 'several',
    asked: 0,
  },
  'one cookie twice': {
    parts: ({ plaintext }) => ({ headers: { Cookie: `vai_token=${plaintext('good')}; vai_token=x` } }),
    reason: 'several',
    asked: 0,
  },
};

/** Where a credential is found. */
const PLACES: Record<string, { headers: (token: string) => NonNullable<RequestParts['headers']>; authMethod: string }> =
  {
    'Authorization: Bearer': { headers: (token) => ({ Authorization: `Bearer ${token}` }), authMethod: 'bearer' },
    'a scheme in capitals': { headers: (token) => ({ authorization: `BEARER  ${token}` }), authMethod: 'bearer' },
    'X-API-Key': { headers: (token) => ({ 'X-API-Key': token }), authMethod: 'apiKey' },
    'a cookie': { headers: (token) => ({ Cookie: `a=b; vai_token=${token}; c=d` }), authMethod: 'cookie' },
    'all places at once': {
      headers: (token) => ({ Authorization: `Bearer ${token}`, 'X-API-Key': token, Cookie: `vai_token=${token}` }),
      authMethod: 'bearer',
    },
    'one header twice': {
      headers: (token) => ({ Authorization: [`Bearer ${token}`, `bearer ${token}`] }),
      authMethod: 'bearer',
    },
  };

/** Where a cookie comes from, and whether it may change something there. */
const COOKIE_ORIGINS: Record<string, { headers: Record<string, string>; passes: boolean }> = {
  'no browser': { headers: {}, passes: true },
  'this origin': { headers: { 'Sec-Fetch-Site': 'same-origin' }, passes: true },
  'the address bar': { headers: { 'Sec-Fetch-Site': 'none' }, passes: true },
  'another site': { headers: { 'Sec-Fetch-Site': 'cross-site', Origin: FOREIGN }, passes: false },
  'a neighbour': { headers: { 'Sec-Fetch-Site': 'same-site' }, passes: false },
  'another origin of an old browser': { headers: { Origin: FOREIGN }, passes: false },
  'a sandbox': { headers: { Origin: 'null' }, passes: false },
  'an origin that is trusted': {
    headers: { 'Sec-Fetch-Site': 'same-site', Origin: 'https://app.example' },
    passes: true,
  },
};

describe.each(Object.entries(APPS))('%s', (_, startApp) => {
  async function start(options: Partial<VerifierOptions> = {}) {
    const setting = createSetting(service, options);
    return { setting, app: await startApp(setting.verifier) };
  }

  test.each(Object.entries(PLACES))('takes the credential from %s', async (_, { headers, authMethod }) => {
    const { app, setting } = await start();
    const token = setting.plaintext('good');
    const answer = await send(app, 'GET /private', { headers: headers(token) });
    expect(answer.status).toBe(200);
    expect(shown(answer).auth).toMatchObject({
      token: { name: 'good', metadata: { team: 'platform' }, tokenType: 'pat', expiresAt: null },
      owner: { email: 'ada@example.org' },
      authMethod,
    });
    expect(answer.text).not.toContain(token);
    expect(setting.asked()).toEqual([1]);
  });

  test.each(Object.entries(REFUSED))('refuses %s', async (_, { parts, before, reason, asked }) => {
    const { app, setting } = await start({ realm: 'Invoices "ltd"' });
    await before?.(setting);
    for (const path of ['/private', '/optional', '/invoices']) {
      const answer = await send(app, `POST ${path}`, { body: 'something', ...parts(setting) });
      expect(answer).toMatchObject({ status: 401, body: UNAUTHORIZED });
      expect(answer.headers).toMatchObject({
        'www-authenticate': 'Bearer realm="Invoices \\"ltd\\"", error="invalid_token"',
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
      });
    }
    expect(setting.refusals.map((refusal) => refusal.reason)).toEqual([reason, reason, reason]);
    expect(setting.asked()).toHaveLength(3 * asked);
    const told = inspect(setting.refusals, { depth: 9 });
    for (const { tokens } of setting.service.users) {
      for (const { plaintext } of tokens) expect(told).not.toContain(plaintext);
    }
  });

  test('tells who sends nothing what to send, and nothing else', async () => {
    const { app, setting } = await start();
    for (const line of ['GET /private', 'POST /invoices', 'DELETE /private'] as const) {
      const answer = await send(app, line);
      expect(answer).toMatchObject({ status: 401, body: UNAUTHORIZED });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    const head = await send(app, 'HEAD /private');
    expect(head).toMatchObject({ status: 401, text: '' });
    expect(head.headers['www-authenticate']).toBe('Bearer');
    const token = setting.plaintext('good');
    const elsewhere = await send(app, `POST /private?token=${token}&access_token=${token}`, { json: { token } });
    expect(elsewhere.headers['www-authenticate']).toBe('Bearer');
    expect(setting.asked()).toEqual([]);
    expect(setting.refusals[0]).toMatchObject({ status: 401, reason: 'missing', authMethod: null, token: null });
  });

  test('takes a token for HEAD and OPTIONS as for GET', async () => {
    const { app, setting } = await start();
    const token = setting.plaintext('good');
    expect((await send(app, 'HEAD /private', { token })).status).toBe(200);
    expect((await send(app, 'OPTIONS /private', { token })).status).toBe(200);
  });

  test('lets nobody pass where that is optional, and nothing that is bad', async () => {
    const { app, setting } = await start();
    expect((await send(app, 'GET /open')).text).toBe('open');
    expect(shown(await send(app, 'GET /optional')).auth).toBeNull();
    const token = setting.plaintext('good');
    expect(shown(await send(app, 'GET /optional', { token })).auth?.token.name).toBe('good');
    expect((await send(app, 'GET /optional', { token: 'nonsense' })).status).toBe(401);
  });

  test('takes a token with the scopes, and a session, which may do all that its user may', async () => {
    const { app, setting } = await start();
    const answer = await send(app, 'GET /invoices', { token: setting.plaintext('good') });
    expect(shown(answer).auth?.token.scopes).toEqual(['invoices:read', 'tokens:read']);
    const session = (await service.connection('ada@example.org').token()) ?? '';
    expect(shown(await send(app, 'GET /invoices', { token: session })).auth?.token.tokenType).toBe('session');
  });

  test('refuses a token without the scopes, and says which', async () => {
    const { app, setting } = await start();
    const answer = await send(app, 'GET /invoices', { token: setting.plaintext('other') });
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(answer.headers['www-authenticate']).toBe('Bearer error="insufficient_scope", scope="invoices:read"');
    expect(setting.refusals).toMatchObject([
      { status: 403, reason: 'insufficient_scope', token: { name: 'other' }, scopes: SCOPES },
    ]);
  });

  test.each(Object.entries(COOKIE_ORIGINS))('a cookie from %s', async (_, { headers, passes }) => {
    const { app, setting } = await start({ trustedOrigins: ['https://app.example'] });
    const token = setting.plaintext('good');
    const byCookie = { headers: { ...headers, Cookie: `vai_token=${token}` } };
    const changed = await send(app, 'POST /private', byCookie);
    if (passes) {
      expect(changed.status).toBe(200);
    } else {
      expect(changed).toMatchObject({
        status: 403,
        body: {
          detail: 'A request with the cookie must come from a page of this origin. Send the token in a header instead.',
          code: 'cross_site_request',
        },
      });
      expect(changed.headers['www-authenticate']).toBeUndefined();
      expect(setting.asked()).toEqual([]);
    }
    expect((await send(app, 'GET /private', byCookie)).status).toBe(200);
    expect((await send(app, 'POST /private', { token, headers })).status).toBe(200);
  });

  test('knows its own origin by Host', async () => {
    const { app, setting } = await start();
    const Cookie = `vai_token=${setting.plaintext('good')}`;
    expect((await send(app, 'POST /private', { headers: { Cookie, Origin: app.url } })).status).toBe(200);
    const { port } = new URL(app.url);
    const Origin = `http://localhost:${port}`;
    expect((await send(app, 'POST /private', { headers: { Cookie, Origin } })).status).toBe(403);
  });

  test('looks into no place that is switched off', async () => {
    const { app, setting } = await start({ authMethods: ['apiKey'] });
    const [token, other] = [setting.plaintext('good'), setting.plaintext('other')];
    const elsewhere = await send(app, 'GET /private', { token, headers: { Cookie: `vai_token=${token}` } });
    expect(elsewhere.status).toBe(401);
    expect(elsewhere.headers['www-authenticate']).toBe('Bearer');
    const both = await send(app, 'GET /private', { token: other, headers: { 'X-API-Key': token } });
    expect(shown(both).auth?.token.name).toBe('good');
  });

  test('takes a cookie of another name', async () => {
    const { app, setting } = await start({ authMethods: ['cookie'], cookieName: '__Host-api' });
    const token = setting.plaintext('good');
    expect((await send(app, 'GET /private', { headers: { Cookie: `vai_token=${token}` } })).status).toBe(401);
    expect((await send(app, 'GET /private', { headers: { Cookie: `__Host-api=${token}` } })).status).toBe(200);
  });

  test('answers a CORS preflight like any request, unless it may pass', async () => {
    const preflight = { headers: { Origin: FOREIGN, 'Access-Control-Request-Method': 'POST' } };
    const { app } = await start();
    expect((await send(app, 'OPTIONS /private', preflight)).status).toBe(401);
    const { app: passing } = await start({ passPreflight: true });
    expect(shown(await send(passing, 'OPTIONS /private', preflight)).auth).toBeNull();
    expect((await send(passing, 'OPTIONS /private', { headers: { Origin: FOREIGN } })).status).toBe(401);
    expect((await send(passing, 'POST /private', preflight)).status).toBe(401);
  });

  describe('fails closed with 503', () => {
    test.each<[string, (setting: Setting) => unknown, Partial<VerifierOptions>?]>([
      ['while the service fails', ({ service }) => service.faults.add({ status: 500 })],
      ['while the service is busy', ({ service }) => service.faults.add({ status: 503, retryAfterSeconds: 7 })],
      ['while a proxy has no service', ({ service }) => service.faults.add({ status: 502 })],
      ['while the service limits requests', ({ service }) => service.faults.add({ status: 429, retryAfterSeconds: 7 })],
      ['while the service is slow', ({ service }) => service.faults.add({ delayMs: 600 })],
      [
        'while the service drops connections',
        ({ service }) => service.faults.add({ drop: 'before-handler', times: 2 }),
      ],
      ['while there is no service', () => undefined, { baseUrl: 'http://127.0.0.1:1' }],
    ])('%s', async (_, break_, options = {}) => {
      const { app, setting } = await start({ timeoutMs: 300, ...options });
      for (const path of ['/private', '/optional'] as const) {
        break_(setting);
        const answer = await send(app, `POST ${path}`, { token: setting.plaintext('good') });
        expect(answer).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
        expect(answer.headers['retry-after']).toMatch(/^[17]$/);
        expect(answer.headers['www-authenticate']).toBeUndefined();
      }
      expect(setting.errors).toHaveLength(2);
      expect(setting.errors[0]).toMatchObject({ code: 'service_unavailable', status: 503 });
      expect(inspect(setting.errors, { depth: 9, showHidden: true })).not.toContain(setting.plaintext('good'));
      expect(setting.refusals).toEqual([]);
      expect((await send(app, 'GET /private')).status).toBe(401);
      expect((await send(app, 'GET /optional')).status).toBe(200);
    });

    test.each([
      ['opens nothing', () => UNKNOWN_TOKEN, { code: 'unauthorized', status: 401 }],
      ['may not verify', ({ plaintext }: Setting) => plaintext('good'), { code: 'insufficient_scope', status: 403 }],
    ])("where the verifier's own token %s", async (_, token, cause) => {
      const own: { token: string } = { token: '' };
      const { app, setting } = await start({ token: () => own.token });
      own.token = token(setting);
      const answer = await send(app, 'GET /private', { token: setting.plaintext('good') });
      expect(answer).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
      expect(setting.errors[0]?.message).toMatch(/^The verifier's own token was refused: /);
      expect(setting.errors[0]?.cause).toMatchObject(cause);
    });
  });

  test('bodies may be of another form', async () => {
    const { app } = await start({
      formatRefusal: ({ status, code, detail }) => ({
        contentType: 'application/problem+json',
        body: JSON.stringify({ status, title: detail, type: `urn:refusal:${code}` }),
      }),
    });
    const answer = await send(app, 'GET /private');
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.text)).toEqual({
      status: 401,
      title: UNAUTHORIZED.detail,
      type: 'urn:refusal:unauthorized',
    });
    const { app: other } = await start({ formatRefusal: () => ({ contentType: 'text/plain', body: 'no' }) });
    expect(await send(other, 'GET /private')).toMatchObject({ status: 401, text: 'no' });
  });

  test("errors of a handler are the framework's", async () => {
    const { app, setting } = await start();
    expect((await send(app, 'GET /fails')).status).toBe(401);
    const answer = await send(app, 'GET /fails', { token: setting.plaintext('good') });
    expect(answer).toMatchObject({ status: 418, text: 'of the handler' });
  });

  test('errors of a callback pass nobody', async () => {
    const failing = () => {
      throw new Error('of the callback');
    };
    for (const options of [{ onRefusal: failing }, { formatRefusal: failing }]) {
      const { app } = await start(options);
      expect(await send(app, 'GET /private')).toMatchObject({ status: 418, text: 'of the callback' });
    }
  });

  test('a body arrives whole, however it is sent', async () => {
    const { app, setting } = await start();
    const body = randomBytes(3_000_000);
    const answer = await upload(app.url, '/private', setting.plaintext('good'), body);
    expect((JSON.parse(answer.toString()) as Shown).digest).toBe(createHash('sha256').update(body).digest('hex'));
    expect((await upload(app.url, '/echo', setting.plaintext('good'), body)).equals(body)).toBe(true);
  });
});

function shown({ text }: Answer): Shown {
  return JSON.parse(text) as Shown;
}

/** Sends `body` in many pieces, without a length. */
async function upload(url: string, path: string, token: string, body: Buffer): Promise<Buffer> {
  const pieces = Array.from({ length: 30 }, (_, index) => body.subarray(index * 100_000, (index + 1) * 100_000));
  return await new Promise((resolve, reject) => {
    const outgoing = sendRequest(url + path, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      resolve(buffer(response));
    });
    Readable.from(pieces).pipe(outgoing);
  });
}
