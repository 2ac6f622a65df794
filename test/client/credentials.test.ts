import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLatchkey, type Latchkey, type LatchkeyOptions } from '../../client/index.js';
import { type Answering, EMPTY_PAGE, JSON_TYPE, serveAnswers } from '../support/answers.js';
import { rejectionOf } from '../support/rejection.js';

const TOKEN = 'lk_pat_4fGq1ZsW8vKtYb0Xc7Rn2LmJd5PhQe1Xm1kC';
const UNAUTHORIZED: Answering = {
  status: 401,
  headers: JSON_TYPE,
  body: '{"detail":"Authentication is required: send a valid token.","code":"unauthorized"}',
};

describe('the credential', () => {
  test('is in one place, and nowhere where none is needed', async () => {
    const { url, received } = await serveAnswers(EMPTY_PAGE);
    const lk = createLatchkey({ baseUrl: url, token: TOKEN });
    await lk.listAccessTokens();
    await lk.getHealth();
    const places = received.map(({ path, headers, body }) =>
      Object.entries({ path, body, ...headers }).filter(([, text]) => String(text).includes(TOKEN)),
    );
    expect(places).toEqual([[['authorization', `Bearer ${TOKEN}`]], []]);
    expect(received.map(({ headers }) => [headers['x-api-key'], headers.cookie])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  test('may be given by a function, asked for each attempt', async () => {
    const { url, received } = await serveAnswers({ status: 503 }, EMPTY_PAGE);
    let asked = 0;
    const lk = createLatchkey({ baseUrl: url, token: () => Promise.resolve(`token-${String(++asked)}`) });
    await lk.listAccessTokens();
    expect(received.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  test('whose function fails fails the call with what it threw, and sends nothing', async () => {
    const { url, received } = await serveAnswers(EMPTY_PAGE);
    const failure = new Error('the vault is sealed');
    const lk = createLatchkey({ baseUrl: url, token: () => Promise.reject(failure) });
    await expect(lk.listAccessTokens()).rejects.toBe(failure);
    expect(received).toEqual([]);
  });

  test('whose function never answers does not outlast the signal', async () => {
    const lk = createLatchkey({ baseUrl: 'http://localhost', token: () => new Promise(() => undefined) });
    await expect(lk.getMe({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test.each(['Authorization', 'x-api-key', 'COOKIE'])('is refused among the headers (%s)', async (name) => {
    const headers = { [name]: TOKEN };
    expect(() => createLatchkey({ baseUrl: 'http://localhost', headers })).toThrow(TypeError);
    await expect(createLatchkey({ baseUrl: 'http://localhost' }).getMe({ headers })).rejects.toThrow(TypeError);
  });

  test.each(['', `${TOKEN}\n`, `two ${TOKEN}`, `${TOKEN}ä`])(
    'is refused where no header takes it (%j)',
    async (token) => {
      const options = { baseUrl: 'http://localhost' };
      expect(() => createLatchkey({ ...options, token })).toThrow('token must be visible ASCII characters');
      const error: unknown = await createLatchkey({ ...options, token: () => token })
        .getMe()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error)).not.toContain(TOKEN);
    },
  );

  test.each([undefined, null, 7])('is refused when it is there and is none (%j)', (token) => {
    const options = { baseUrl: 'http://localhost', token } as unknown as LatchkeyOptions;
    expect(() => createLatchkey(options)).toThrow(TypeError);
    expect(() => createLatchkey(options)).toThrow('token must be a token, or a function');
  });

  test('comes from the environment, together with the URL alone', async () => {
    const { url, received } = await serveAnswers(EMPTY_PAGE);
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('LATCHKEY_TOKEN', TOKEN);
    vi.stubEnv('LATCHKEY_URL', undefined);
    expect(() => createLatchkey.fromEnvironment()).toThrow('LATCHKEY_URL is not set');
    vi.stubEnv('LATCHKEY_URL', '');
    expect(() => createLatchkey.fromEnvironment()).toThrow('LATCHKEY_URL is not set');
    vi.stubEnv('LATCHKEY_URL', url);
    await createLatchkey.fromEnvironment().listAccessTokens();
    const elsewhere = { baseUrl: 'http://localhost:1' } as object;
    expect(() => createLatchkey.fromEnvironment(elsewhere)).toThrow('fromEnvironment takes no baseUrl');
    vi.stubEnv('LATCHKEY_TOKEN', '');
    expect(() => createLatchkey.fromEnvironment()).toThrow('LATCHKEY_TOKEN is empty');
    vi.stubEnv('LATCHKEY_TOKEN', undefined);
    await createLatchkey.fromEnvironment({ maxRetries: 0 }).getHealth();
    expect(received.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${TOKEN}`, undefined]);
  });

  test('is not carried along by a redirect', async () => {
    const other = await serveAnswers(EMPTY_PAGE);
    const { url } = await serveAnswers({ status: 302, headers: { Location: other.url } });
    const error = await rejectionOf(createLatchkey({ baseUrl: url, token: TOKEN }).listAccessTokens());
    expect(error).toMatchObject({ code: 'unexpected_answer', status: 302 });
    expect(other.received).toEqual([]);
  });
});

describe('the base URL', () => {
  test.each([
    'https://tokens.example.org',
    'http://localhost:8080',
    'http://api.localhost',
    'http://127.0.0.1',
    'http://127.1.2.3:1',
    'http://[::1]:8080/below',
  ])('%s is taken', (baseUrl) => {
    expect(() => createLatchkey({ baseUrl })).not.toThrow();
  });

  test.each([
    'http://tokens.example.org',
    'http://192.168.0.1:8080',
    'http://localhost.example.org',
    'http://127.0.0.1.example.org',
  ])('%s is refused for being plain http, unless that is allowed', (baseUrl) => {
    expect(() => createLatchkey({ baseUrl })).toThrow('plain http');
    expect(() => createLatchkey({ baseUrl, allowInsecureHttp: true })).not.toThrow();
  });

  test.each([
    '',
    '/api',
    'tokens.example.org',
    'ftp://tokens.example.org',
    'https://ada:secret@tokens.example.org',
    'https://tokens.example.org?key=secret',
    'https://tokens.example.org#secret',
  ])('%j is refused without being shown', (baseUrl) => {
    expect(() => createLatchkey({ baseUrl })).toThrow(TypeError);
    expect(() => createLatchkey({ baseUrl })).not.toThrow('secret');
  });
});

describe('ids', () => {
  test.each<[string, (lk: Latchkey) => Promise<unknown>]>([
    ...['', '.', '..'].map((token_id): [string, (lk: Latchkey) => Promise<unknown>] => [
      JSON.stringify(token_id),
      (lk) => lk.revokeAccessToken({ path: { token_id } }),
    ]),
    ['undefined', (lk) => lk.revokeAccessToken({ path: {} as { token_id: string } })],
    ['[""]', (lk) => lk.revokeAccessToken({ path: { token_id: [''] as unknown as string } })],
    ['"\\ud800"', (lk) => lk.revokeAccessToken({ path: { token_id: '\ud800' } })],
  ])('that would make another path (%s) are refused before anything is sent', async (_, call) => {
    const { url, received } = await serveAnswers({ status: 204 });
    const error = await rejectionOf(call(createLatchkey({ baseUrl: url, token: TOKEN })));
    expect(error).toMatchObject({ code: 'invalid_input', status: undefined, problems: [{ field: 'token_id' }] });
    expect(received).toEqual([]);
  });

  test('of any other form are encoded', async () => {
    const { url, received } = await serveAnswers({ status: 204 });
    await createLatchkey({ baseUrl: url }).revokeAccessToken({ path: { token_id: '../$&?{token_id}#%2e' } });
    expect(received[0]?.path).toBe('/api/v1/access-tokens/..%2F%24%26%3F%7Btoken_id%7D%23%252e');
  });
});

describe('no secret is shown', () => {
  const password = 'the secret password';
  const echo = JSON.stringify({ detail: `You sent ${TOKEN} and ${password}.`, code: 'unauthorized' });

  test.each<[string, Answering | Error]>([
    ['a refusal', UNAUTHORIZED],
    ['a refusal that repeats what was sent', { status: 401, headers: JSON_TYPE, body: echo }],
    ['a page that repeats what was sent', { status: 200, headers: { 'Content-Type': `text/${TOKEN}` }, body: TOKEN }],
    [
      'bad input that repeats what was sent',
      {
        status: 422,
        headers: JSON_TYPE,
        body: JSON.stringify({ detail: [{ loc: ['body', TOKEN, password], msg: TOKEN + password, type: 'enum' }] }),
      },
    ],
    [
      "OAuth's refusal that repeats what was sent",
      {
        status: 400,
        headers: JSON_TYPE,
        body: JSON.stringify({ error: 'invalid_request', error_description: `${TOKEN} ${password}` }),
      },
    ],
    ['a dropped connection', 'drop'],
    [
      "a fetch's error that holds the request",
      Object.assign(new Error(`cannot send Bearer ${TOKEN} ${password}`), {
        request: { authorization: TOKEN, password },
      }),
    ],
  ])('by an error after %s, nor by the client', async (_, answer) => {
    const server = await serveAnswers(answer instanceof Error ? 'drop' : answer);
    const options: LatchkeyOptions = { baseUrl: server.url, maxRetries: 0 };
    if (answer instanceof Error) options.fetch = () => Promise.reject(answer);
    const lk = createLatchkey({ ...options, token: TOKEN });
    const errors = await Promise.all([
      rejectionOf(lk.listAccessTokens()),
      rejectionOf(lk.logIn({ username: 'ada@example.org', password })),
      rejectionOf(lk.refreshSession({ body: { refresh_token: TOKEN } })),
    ]);
    const things: unknown[] = [lk, errors[0], errors[2]];
    const [start, end] = [TOKEN.slice(0, 20), TOKEN.slice(-12)];
    const asker = createLatchkey({ ...options, token: 'another-credential' });
    const errorsOfBodies = await Promise.all([
      rejectionOf(asker.verifyAccessToken({ body: { token: TOKEN } })),
      // The first begins the second, and must not leave its end to be seen.
      rejectionOf(asker.verifyAccessTokens({ body: { tokens: [{ token: start }, { token: TOKEN }] } })),
      rejectionOf(asker.introspectToken({ body: { token: TOKEN } })),
      rejectionOf(asker.revokeOAuthToken({ body: { token: TOKEN } })),
    ]);
    for (const thing of [...things, ...errorsOfBodies]) {
      for (const text of [inspect(thing, { depth: 9, showHidden: true }), JSON.stringify(thing), String(thing)]) {
        expect(text).not.toContain(start);
        expect(text).not.toContain(end);
      }
    }
    expect(inspect(errors[1], { depth: 9 })).not.toContain(password);
  });

  test('by the client that holds a session', async () => {
    const session = { access_token: TOKEN, refresh_token: TOKEN.replace('pat', 'ref') };
    const { url } = await serveAnswers({ headers: JSON_TYPE, body: JSON.stringify(session) });
    const lk = createLatchkey({ baseUrl: url });
    await lk.logIn({ username: 'ada@example.org', password });
    const shown = inspect(lk, { depth: 9, showHidden: true }) + JSON.stringify(lk);
    for (const secret of [...Object.values(session), password]) expect(shown).not.toContain(secret);
  });
});
