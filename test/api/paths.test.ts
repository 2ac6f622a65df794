import { describe, expect, test } from 'vitest';
import { createAccessToken, getMe } from '../../generated/index.js';
import { createFaultyDatabase } from '../support/faulty-database.js';
import { type Answer, send } from '../support/http.js';
import { ANY_STRING, matching, without } from '../support/matchers.js';
import { expectRefusal, logged } from '../support/refusal.js';
import { answered, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { answersIn, exchange } from '../support/socket.js';
import { contentOf } from '../support/store.js';

const UUID = '497f6eca-6276-4993-bfeb-53cbbbba6f08';
const NOT_FOUND = { detail: ANY_STRING, code: 'not_found' };

const METHODS = {
  '/api/v1/auth/private_tokens/': ['GET', 'HEAD', 'POST'],
  '/api/v1/auth/private_tokens/1/': ['DELETE'],
  '/api/v1/access-tokens': ['DELETE', 'GET', 'HEAD', 'POST'],
  [`/api/v1/access-tokens/${UUID}`]: ['DELETE', 'GET', 'HEAD', 'PATCH'],
  [`/api/v1/access-tokens/${UUID}/rotate`]: ['POST'],
  '/api/v1/access-tokens/counts': ['GET', 'HEAD'],
  '/api/v1/access-tokens/limits': ['GET', 'HEAD'],
  '/api/v1/access-tokens/current': ['DELETE', 'GET', 'HEAD'],
  '/api/v1/access-tokens/current/rotate': ['POST'],
  '/api/v1/access-tokens/verify': ['POST'],
  '/api/v1/access-tokens/verify-batch': ['POST'],
  '/api/v1/auth/login/': ['POST'],
  '/api/v1/auth/refresh/': ['POST'],
  '/api/v1/auth/browser-session': ['POST'],
  '/api/v1/auth/browser-session/refresh': ['POST'],
  '/api/v1/auth/logout': ['POST'],
  '/api/v1/auth/me': ['GET', 'HEAD'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/openapi.json': ['GET', 'HEAD'],
  '/openapi.yaml': ['GET', 'HEAD'],
};
const paths = Object.entries(METHODS);

/** Whether the path is of the surface whose errors have no code. */
function isPrivate(path: string): boolean {
  return /private_tokens|login|auth\/refresh/.test(path);
}

function allowed({ headers }: Answer): string[] {
  return (headers.allow ?? '').split(/, */).sort();
}

describe('a path that differs only by its trailing slash', () => {
  const shared = shareService();
  test.each(paths)('%s is 404 and says so', async (path) => {
    const { service, admin } = await shared();
    const other = path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      await expectRefusal(service, () => send(service, `${method} ${other}`, { token: admin.token }), {
        status: 404,
        body: { detail: matching(/trailing slash/), code: 'not_found' },
      });
    }
  });

  test('never revokes all, whatever client leaves the id empty', async () => {
    const { service, admin } = await shared();
    const { token } = admin;
    await answered(createAccessToken({ client: admin.client, body: { name: 'a' } }));
    for (const path of ['/api/v1/access-tokens/', '/api/v1/access-tokens//', '/api/v1/auth/private_tokens//']) {
      for (const query of ['', '?exclude_current=false']) {
        const line = `DELETE ${path}${query}` as const;
        await expectRefusal(service, () => send(service, line, { token }), { status: 404, body: NOT_FOUND });
      }
    }
  });
});

describe('a path that is not of the contract is 404', () => {
  const shared = shareService();
  test.each([
    '/',
    '/api',
    '/api/v1/',
    '/api/v2/access-tokens',
    '/API/v1/access-tokens',
    '/api/v1/Access-Tokens',
    '/api/v1/access_tokens',
    '//api/v1/access-tokens',
    '/api//v1/access-tokens',
    '/api/v1/access-tokens//',
    '/./api/v1/access-tokens',
    '/api/v1/x/../access-tokens',
    '/api/v1/x/%2e%2e/access-tokens',
    '/api/v1/access%2Dtokens',
    '/api/v1%2Faccess-tokens',
    '/api\\v1\\access-tokens',
    '/api/v1/access-tokens;v=1',
    '/api/v1/access-tokens%20',
    '/api/v1/access-tokens%3F',
    '/api/v1/access-tokens#top',
    `/api/v1/access-tokens/${UUID}/revoke`,
    '/api/v1/auth/private_tokens',
    '/api/v1/auth/private_tokens/1',
    '/api/v1/auth/private_tokens/1/2/',
    '/api/v1/auth/login',
    '/api/v1/auth/logout/',
    '/healthz/',
    '/openapi.yml',
  ])('%s', async (path) => {
    const { service, admin } = await shared();
    const { token } = admin;
    const parts = { token, json: { name: 'a' } };
    for (const [method, sent] of [
      ['GET', { token }],
      ['POST', parts],
      ['DELETE', { token }],
      ['OPTIONS', {}],
    ] as const) {
      const answer = await expectRefusal(service, () => send(service, `${method} ${path}`, sent), {
        status: 404,
        body: NOT_FOUND,
      });
      expect(answer.headers).not.toHaveProperty('location');
    }
  });

  test.each(['.', '..', '%2e%2e', '..%2Faccess-tokens', '%2F'])(
    'as the id %s it is none, and leads nowhere else',
    async (id) => {
      const { service, admin } = await shared();
      for (const method of ['GET', 'DELETE']) {
        const line = `${method} /api/v1/access-tokens/${id}` as const;
        await expectRefusal(service, () => send(service, line, { token: admin.token }), { status: 422 });
      }
    },
  );

  test.each(['%', '%2', '%zz', '%ff', '%c3', '%ed%a0%80', '%E0%A4%A', '%u0041'])(
    'as an id in malformed percent-encoding, %s, is',
    async (id) => {
      const { service, admin } = await shared();
      const { token } = admin;
      for (const path of [`/api/v1/access-tokens/${id}`, `/api/v1/auth/private_tokens/${id}/`, `/${id}`]) {
        for (const method of ['GET', 'DELETE', 'POST', 'OPTIONS']) {
          const line = `${method} ${path}` as const;
          await expectRefusal(service, () => send(service, line, { token }), { status: 404, body: NOT_FOUND });
        }
      }
    },
  );

  test('with a token in it, which stays out of the log', async () => {
    const { service, admin } = await shared();
    const { token } = admin;
    await expectRefusal(service, () => send(service, `GET /api/v1/access-tokens/by/${token}`), { status: 404 });
    await expectRefusal(service, () => send(service, `GET /${token}?token=${token}`), { status: 404 });
  });
});

describe('another method of a known path', () => {
  const shared = shareService();
  const OTHERS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'];
  test.each(paths)('%s is 405 with the methods that it allows', async (path, methods) => {
    const { service, admin } = await shared();
    for (const method of OTHERS.filter((each) => !methods.includes(each))) {
      const answer = await expectRefusal(service, () => send(service, `${method} ${path}`, { token: admin.token }), {
        status: 405,
        body: { detail: ANY_STRING, ...(isPrivate(path) ? {} : { code: 'method_not_allowed' }) },
      });
      expect(allowed(answer)).toEqual([...methods, 'OPTIONS'].sort());
    }
  });

  test('is not made by a header that asks to override it', async () => {
    const { service, admin } = await shared();
    const before = await contentOf(service);
    const headers = { 'X-HTTP-Method-Override': 'DELETE', 'X-HTTP-Method': 'DELETE', 'X-Method-Override': 'DELETE' };
    const answer = await send(service, 'GET /api/v1/access-tokens?', { token: admin.token, headers });
    expect(answer).toMatchObject({ status: 200, body: { nextCursor: null } });
    expect(await contentOf(service)).toEqual(before);
  });
});

describe('OPTIONS', () => {
  const shared = shareService();
  test.each(paths)('%s answers 204 with the methods, without a credential', async (path, methods) => {
    const { service } = await shared();
    const before = await contentOf(service);
    const answer = await send(service, `OPTIONS ${path}`);
    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(allowed(answer)).toEqual([...methods, 'OPTIONS'].sort());
    expect(await contentOf(service)).toEqual(before);
  });

  test('of an unknown path is 404', async () => {
    const { service } = await shared();
    await expectRefusal(service, () => send(service, 'OPTIONS /api/v1/tokens'), { status: 404, body: NOT_FOUND });
  });
});

describe('HEAD', () => {
  const shared = shareService();
  test.each(paths.filter(([, methods]) => methods.includes('HEAD')))(
    '%s answers like GET, without a body',
    async (path) => {
      const { service, admin } = await shared();
      for (const parts of [{ token: admin.token }, {}]) {
        const get = await send(service, `GET ${path}`, parts);
        const head = await send(service, `HEAD ${path}`, parts);
        expect(head.text).toBe('');
        expect(head.status).toBe(get.status);
        const comparable = ({ headers }: Answer) => without(headers, 'date', 'x-request-id');
        expect(comparable(head)).toEqual(comparable(get));
      }
    },
  );
});

describe('every answer', () => {
  const shared = shareService();
  const answers: [string, `${string} ${string}`, number][] = [
    ['a success', 'GET /api/v1/access-tokens', 200],
    ['a page', 'GET /api/v1/auth/private_tokens/', 200],
    ['bad input', 'GET /api/v1/access-tokens?limit=0', 422],
    ['an unknown id', `GET /api/v1/access-tokens/${UUID}`, 404],
    ['an unknown path', 'GET /api/v1/nothing', 404],
    ['an unknown path outside the API', 'GET /nothing', 404],
    ['a malformed path', 'GET /api/v1/access-tokens/%', 404],
    ['another method', 'PUT /api/v1/access-tokens', 405],
    ['the methods', 'OPTIONS /api/v1/access-tokens', 204],
    ['no body', 'HEAD /api/v1/access-tokens', 200],
    ['a failed login', 'POST /api/v1/auth/login/', 400],
    ['health', 'GET /healthz', 200],
    ['the contract', 'GET /openapi.yaml', 200],
  ];
  test.each(answers)('has its headers: %s', async (_, line, status) => {
    const { service, admin } = await shared();
    const answer = await send(service, line, { token: admin.token });
    expect(answer).toMatchObject({
      status,
      headers: {
        'x-content-type-options': 'nosniff',
        'x-request-id': matching(/^[A-Za-z0-9._-]{1,128}$/),
      },
    });
    if (line.includes('/api')) expect(answer.headers['cache-control']).toBe('no-store');
    const again = await send(service, line, { token: admin.token });
    expect(again.headers['x-request-id']).not.toBe(answer.headers['x-request-id']);
  });

  test('to a request without a credential has its headers', async () => {
    const { service } = await shared();
    const { headers } = await expectRefusal(service, () => send(service, 'GET /api/v1/access-tokens'), { status: 401 });
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  test.each<[string, string, unknown]>([
    ['a header that is none', 'GET /api/v1/access-tokens HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n', 400],
    ['no HTTP at all', 'deploy bot\r\n\r\n', 400],
    ['no Host', 'GET /api/v1/access-tokens HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    [
      'an unknown expectation',
      'GET /api/v1/access-tokens HTTP/1.1\r\nHost: a\r\nExpect: a pony\r\nConnection: close\r\n\r\n',
      expect.toBeOneOf([401, 417]) as unknown,
    ],
    ['a path in absolute form', 'GET http://a/api/v1/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 404],
    ['headers beyond measure', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('to %s has its headers', async (_, text, status) => {
    const { service } = await shared();
    const [answer, ...more] = answersIn(await exchange(service.url, text));
    expect(more).toEqual([]);
    expect(answer?.status).toEqual(status);
    expect(JSON.parse(answer?.body ?? '')).toEqual({ detail: ANY_STRING, code: ANY_STRING });
    expect(answer?.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
    expect(answer?.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('X-Request-Id', () => {
  const shared = shareService();
  test.each(['a', '0', '.-_', 'A-request.of_mine-1', 'a'.repeat(128)])('%s comes back', async (id) => {
    const { service } = await shared();
    for (const path of ['/healthz', '/api/v1/access-tokens', '/nothing']) {
      const answer = await send(service, `GET ${path}`, { headers: { 'X-Request-Id': id } });
      expect(answer.headers['x-request-id']).toBe(id);
      expect((await logged(service, answer)).status).toBe(answer.status);
    }
  });

  test.each([
    ['129 characters', 'a'.repeat(129)],
    ['nothing', ''],
    ['white space', 'a b'],
    ['another character', 'a/b'],
    ['a letter beyond ASCII', 'é'],
    ['a list', 'a,b'],
    ['two headers', ['a', 'b']],
    ['markup', '<script>'],
  ])('of %s is replaced', async (_, id) => {
    const { service } = await shared();
    const answer = await send(service, 'GET /healthz', { headers: { 'X-Request-Id': id } });
    expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{2,128}$/);
    expect([id].flat().map((each) => each.toLowerCase())).not.toContain(answer.headers['x-request-id']);
  });
});

test('a fault is 500 with a fixed sentence and the request id; the log alone has the cause', async () => {
  const faulty = createFaultyDatabase();
  const service = await startService({ openDatabase: (path) => faulty.open(path) });
  const { token } = await service.admin();
  faulty.set('bug');
  for (const [path, surface] of [
    ['/api/v1/access-tokens', { code: 'internal_error' }],
    ['/api/v1/auth/private_tokens/', {}],
  ] as const) {
    const sentences = new Set<string>();
    for (const id of ['first', 'second']) {
      const answer = await expectRefusal(
        service,
        () => send(service, `GET ${path}`, { token, headers: { 'X-Request-Id': `${id}${path.replaceAll('/', '.')}` } }),
        { status: 500, body: { detail: ANY_STRING, ...surface } },
      );
      const sentId = String(answer.headers['x-request-id']);
      expect(answer.text).toContain(sentId);
      expect(answer.text).not.toContain('secret_detail');
      sentences.add(answer.text.replace(sentId, ''));
      expect((await logged(service, answer)).err?.message).toContain('secret_detail');
    }
    expect(sentences.size).toBe(1);
  }
  faulty.set('none');
  expect((await getMe({ client: service.as(token) })).response.status).toBe(200);
});
