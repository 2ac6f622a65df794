import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAccessToken, listPrivateTokens, logIn } from '../../generated/index.js';
import { send } from '../support/http.js';
import { answered, startService } from '../support/service.js';
import { answersIn, exchange } from '../support/socket.js';

const LIST = '/api/v1/auth/private_tokens/?page_size=1';

test.each(['user@evil.example', 'evil.example', 'evil.example:80', '"><script>', '[::1]:99'])(
  'Host: %s does not reach the links',
  async (host) => {
    const service = await startService();
    const { token } = await withTwoTokens(service);
    const request = `GET ${LIST} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    const [answer] = answersIn(await exchange(service.url, request));
    expect(answer?.status).toBe(200);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ next: `${service.url}${LIST}&page=2` });
  },
);

test.each(['http://evil.example', 'http://user@evil.example:80'])(
  'an absolute request target at %s does not reach the links',
  async (origin) => {
    const service = await startService();
    const { token } = await withTwoTokens(service);
    const request = `GET ${origin}${LIST} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    const [answer] = answersIn(await exchange(service.url, request));
    expect(answer?.status).toBe(200);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ next: `${service.url}${LIST}&page=2` });
  },
);

const FORWARDED = {
  'X-Forwarded-For': '203.0.113.7',
  'X-Forwarded-Host': 'tokens.example.org',
  'X-Forwarded-Proto': 'https',
};

test('without LATCHKEY_TRUST_PROXY, X-Forwarded-* changes neither links nor cookies nor whose failures count', async () => {
  const service = await startService();
  const person = await withTwoTokens(service);
  expect(await nextLink(service, person.token, FORWARDED)).toBe(`${service.url}${LIST}&page=2`);
  expect((await logInWith(service, person, FORWARDED)).headers.get('Set-Cookie')).not.toContain('Secure');
  const statuses = await failFrom(service, person, (attempt) => `203.0.113.${String(attempt)}`);
  expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
});

test('with one trusted proxy, X-Forwarded-* makes links, Secure cookies and the address whose failures count', async () => {
  const service = await startService({ trustProxy: 1 });
  const person = await withTwoTokens(service);
  expect(await nextLink(service, person.token, FORWARDED)).toBe(`https://tokens.example.org${LIST}&page=2`);
  expect((await logInWith(service, person, FORWARDED)).headers.get('Set-Cookie')).toMatch(/; Secure(;|$)/);
  const plain = { ...FORWARDED, 'X-Forwarded-Proto': 'http' };
  expect((await logInWith(service, person, plain)).headers.get('Set-Cookie')).not.toContain('Secure');
  const statuses = await failFrom(service, person, (attempt) => `203.0.113.${String(attempt)}`);
  expect(statuses).toEqual(Array<number>(11).fill(401));
});

test('with one trusted proxy, only what that proxy appended counts', async () => {
  const service = await startService({ trustProxy: 1 });
  const person = await withTwoTokens(service);
  const headers = {
    ...FORWARDED,
    'X-Forwarded-Host': 'evil.example, tokens.example.org',
    'X-Forwarded-Proto': 'http, https',
  };
  expect(await nextLink(service, person.token, headers)).toBe(`https://tokens.example.org${LIST}&page=2`);
  const statuses = await failFrom(service, person, (attempt) => `203.0.113.${String(attempt)}, 198.51.100.1`);
  expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
});

test.each(['user@evil.example', 'evil.example/path', 'evil.example?', 'a b', ''])(
  'even a trusted proxy cannot put X-Forwarded-Host: %s into the links',
  async (host) => {
    const service = await startService({ trustProxy: 1 });
    const { token } = await withTwoTokens(service);
    const next = await nextLink(service, token, { 'X-Forwarded-Host': host });
    expect(next).toBe(`${service.url}${LIST}&page=2`);
  },
);

test('LATCHKEY_PUBLIC_URL is what links start with, and with https makes cookies Secure', async () => {
  const service = await startService({ publicUrl: 'https://tokens.example.org:8443' });
  const person = await withTwoTokens(service);
  const next = `https://tokens.example.org:8443${LIST}&page=2`;
  expect(await nextLink(service, person.token, {})).toBe(next);
  expect(await nextLink(service, person.token, FORWARDED)).toBe(next);
  expect((await logInWith(service, person, {})).headers.get('Set-Cookie')).toMatch(/; Secure(;|$)/);
});

test.each(['a:99999', '1.2.3.999', '[:::::]', 'xn--a', '1.2.3.4.5', '[1.2.3.4]', ':80', `${'a.'.repeat(200)}org`])(
  'X-Forwarded-Host: %s is no host, is ignored, and warned of once without its value',
  async (host) => {
    const service = await startService({ trustProxy: 1 });
    const { token } = await withTwoTokens(service);
    for (let request = 0; request < 3; request++) {
      const next = await nextLink(service, token, { 'X-Forwarded-Host': host });
      expect(next).toBe(`${service.url}${LIST}&page=2`);
    }
    const warnings = service.log.filter((line) => line.includes('"level":40'));
    expect(warnings.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ header: 'x-forwarded-host', msg: expect.stringContaining('ignored') as string }),
    ]);
    expect(warnings.join('')).not.toContain(host);
  },
);

test.each([
  ['ports of one IPv4 address', (attempt: number) => `8.8.4.4:${String(1_000 + attempt)}`],
  ['an IPv4 address with and without a port', (attempt: number) => `8.8.4.4${attempt % 2 === 0 ? ':80' : ''}`],
  [
    'an IPv4 address mapped or not',
    (attempt: number) => ['8.8.4.4', '::ffff:8.8.4.4', '::FFFF:0808:0404'][attempt % 3],
  ],
  ['ports of one IPv6 address', (attempt: number) => `[2001:db8:1::1]:${String(1_000 + attempt)}`],
  ['brackets or none', (attempt: number) => ['2001:db8:1::1', '[2001:db8:1::1]', '[2001:db8:1::1]:99'][attempt % 3]],
  ['spellings', (attempt: number) => ['2001:DB8:1::1', '2001:0db8:0001::1', '2001:db8:1:0:0:0:0:1'][attempt % 3]],
  ['addresses of one /64', (attempt: number) => `2001:db8:1:2::${attempt.toString(16)}`],
  ['zones', (attempt: number) => `fe80::1%eth${String(attempt)}`],
  ['no address at all', (attempt: number) => ['unknown', '1.2.3.999', '_hidden', '[8.8.4.4]', '1.2.3'][attempt % 5]],
])('failed logins from %s count together', async (_, forwardedFor) => {
  const service = await startService({ trustProxy: 1 });
  const statuses = await failFrom(service, await service.admin(), (attempt) => forwardedFor(attempt) ?? '');
  expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
});

test('failed logins from different /64 of IPv6 count apart', async () => {
  const service = await startService({ trustProxy: 1 });
  const statuses = await failFrom(service, await service.admin(), (attempt) => `2001:db8:1:${attempt.toString(16)}::1`);
  expect(statuses).toEqual(Array<number>(11).fill(401));
});

test('Forwarded (RFC 7239) is ignored', async () => {
  const service = await startService({ trustProxy: 1 });
  const person = await withTwoTokens(service);
  const headers = { Forwarded: 'for=203.0.113.7;host=evil.example;proto=https' };
  expect(await nextLink(service, person.token, headers)).toBe(`${service.url}${LIST}&page=2`);
  expect((await logInWith(service, person, headers)).headers.get('Set-Cookie')).not.toContain('Secure');
});

test('no value of a forwarded header makes a 5xx, or a link that is no URL', { timeout: 60_000 }, async () => {
  const service = await startService({ trustProxy: 1 });
  const { token } = await withTwoTokens(service);
  const piece = fc.oneof(
    fc.constantFrom(
      '',
      'a',
      'xn--a',
      'xn--',
      '1.2.3.4',
      '1.2.3.999',
      '0x7f',
      '[',
      ']',
      '[::1]',
      '::',
      '%',
      ':',
      '.',
      ',',
    ),
    fc.constantFrom(':99999', ':0', ':80', '@', '/', '?', '#', '\\', '"', ';', 'for=', 'https', 'javascript', '_', '-'),
    fc.ipV4(),
    fc.ipV6(),
    fc.domain(),
    fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 12 }),
  );
  const value = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('').replaceAll('\x7f', ''));
  const names = ['Host', 'For', 'Proto', 'Port', 'Prefix', 'Server', 'Ssl', 'Scheme'].map(
    (end) => `X-Forwarded-${end}`,
  );
  const headers = fc.dictionary(fc.constantFrom(...names, 'Forwarded', 'X-Real-IP'), value, { minKeys: 1 });
  await fc.assert(
    fc.asyncProperty(headers, async (headers) => {
      const list = await send(service, `GET ${LIST}`, { token, headers: { ...headers } });
      expect(list.status).toBe(200);
      expect(URL.canParse((list.body as { next: string }).next)).toBe(true);
      const login = await send(service, 'POST /api/v1/auth/login/', {
        json: { username: 'a' },
        headers: { ...headers },
      });
      expect(login.status).toBe(400);
    }),
    { numRuns: 400 },
  );
  const json = { username: 'nobody@example.org', password: 'a wrong password' };
  for (const address of fc.sample(value, 15)) {
    const { status } = await send(service, 'POST /api/v1/auth/login/', {
      json,
      headers: { 'X-Forwarded-For': address },
    });
    expect([401, 429]).toContain(status);
  }
  expect(service.log.filter((line) => line.includes('"level":50'))).toEqual([]);
});

type Service = Awaited<ReturnType<typeof startService>>;
type Person = Awaited<ReturnType<Service['admin']>>;

/** The first user, whose list has two pages of one token each. */
async function withTwoTokens(service: Service): Promise<Person> {
  const person = await service.admin();
  for (const name of ['first', 'second']) {
    await answered(createAccessToken({ client: person.client, body: { name } }));
  }
  return person;
}

async function nextLink(service: Service, token: string, headers: Record<string, string>): Promise<string | null> {
  const { next } = await answered(listPrivateTokens({ client: service.as(token), query: { page_size: 1 }, headers }));
  return next;
}

async function logInWith(service: Service, { email, password }: Person, headers: Record<string, string>) {
  const { response } = await logIn({ client: service.anonymous, body: { username: email, password }, headers });
  expect(response.status).toBe(200);
  return response;
}

/** Eleven wrong passwords, each sent as if for the address that `forwardedFor` gives; the statuses of the answers. */
async function failFrom(
  service: Service,
  { email }: Person,
  forwardedFor: (attempt: number) => string,
): Promise<number[]> {
  const statuses: number[] = [];
  for (let attempt = 1; attempt <= 11; attempt++) {
    const { response } = await logIn({
      client: service.anonymous,
      body: { username: email, password: 'a wrong password' },
      headers: { 'X-Forwarded-For': forwardedFor(attempt) },
    });
    statuses.push(response.status);
  }
  return statuses;
}
