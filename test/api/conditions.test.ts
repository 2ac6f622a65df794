import { describe, expect, test } from 'vitest';
import { createAccessToken, getAccessToken, listPrivateTokens } from '../../generated/index.js';
import { type Answer, send } from '../support/http.js';
import { ANY_STRING } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, type Person, type Service, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';

// What a change may be made to depend on (RFC 9110, section 13), operation by operation.

const TOKENS = '/api/v1/access-tokens';
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const OTHER = '"0123456789abcdef"';

type Line = `${string} ${string}`;
type Conditions = Record<string, string | undefined>;

interface Made {
  service: Service;
  admin: string;
  id: string;
  privateId: number;
  /** The token's own plaintext. */
  plaintext: string;
  tag: string;
}

async function make(): Promise<Made> {
  const service = await startService();
  return await makeOn(service, await service.admin());
}

async function makeOn(service: Service, { client, token: admin }: Person): Promise<Made> {
  const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
  const { results } = await answered(listPrivateTokens({ client }));
  const { response } = await getAccessToken({ client, path: { token_id: token.id } });
  const tag = response.headers.get('ETag') ?? '';
  return { service, admin, id: token.id, privateId: results[0]?.id ?? 0, plaintext, tag };
}

/** What changes one token that has an ETag, by whom. */
const TAGGED: [string, (made: Made, headers: Conditions) => Promise<Answer>][] = [
  [
    'editing',
    ({ service, admin, id }, headers) =>
      send(service, `PATCH ${TOKENS}/${id}`, { token: admin, json: { name: 'renamed' }, headers }),
  ],
  [
    'rotating',
    ({ service, admin, id }, headers) => send(service, `POST ${TOKENS}/${id}/rotate`, { token: admin, headers }),
  ],
  [
    'rotating the token in use',
    ({ service, plaintext }, headers) => send(service, `POST ${TOKENS}/current/rotate`, { token: plaintext, headers }),
  ],
  ['revoking', ({ service, admin, id }, headers) => send(service, `DELETE ${TOKENS}/${id}`, { token: admin, headers })],
  [
    'revoking the token in use',
    ({ service, plaintext }, headers) => send(service, `DELETE ${TOKENS}/current`, { token: plaintext, headers }),
  ],
];

const HOLDS: [string, (tag: string) => Conditions][] = [
  ['its tag', (tag) => ({ 'If-Match': tag })],
  ['any tag', () => ({ 'If-Match': '*' })],
  ['its tag among others', (tag) => ({ 'If-Match': `${OTHER}, W/"a,b" ,${tag}` })],
  ['not another tag', () => ({ 'If-None-Match': OTHER })],
  ['not what is no list of tags', () => ({ 'If-None-Match': 'nope' })],
  ['its tag and not another', (tag) => ({ 'If-Match': tag, 'If-None-Match': `W/${OTHER}` })],
  // Nothing here knows when it was last modified, and RFC 9110 has these ignored then.
  ['an age', () => ({ 'If-Unmodified-Since': 'Sat, 29 Oct 1994 19:43:31 GMT' })],
  ['another age', () => ({ 'If-Modified-Since': 'Sat, 29 Oct 2094 19:43:31 GMT' })],
];

const FAILS: [string, (tag: string) => Conditions][] = [
  ['another tag', () => ({ 'If-Match': OTHER })],
  ['a tag of another form', () => ({ 'If-Match': '"nope"' })],
  ['its tag, but weakly', (tag) => ({ 'If-Match': `W/${tag}` })],
  ['others', () => ({ 'If-Match': `${OTHER}, "*", ""` })],
  ['its tag in another letter case', (tag) => ({ 'If-Match': inOtherCase(tag) })],
  ['not its tag', (tag) => ({ 'If-None-Match': tag })],
  ['not its tag, weakly', (tag) => ({ 'If-None-Match': `${OTHER},W/${tag}` })],
  ['no tag at all', () => ({ 'If-None-Match': '*' })],
  ['its tag and not its tag', (tag) => ({ 'If-Match': tag, 'If-None-Match': tag })],
];

function inOtherCase(tag: string): string {
  return tag.replace(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()));
}

describe.each(TAGGED)('%s', (_, change) => {
  const shared = shareService();

  test('is done where the condition holds', async () => {
    const { service, admin } = await shared();
    for (const [name, headersFor] of HOLDS) {
      const made = await makeOn(service, admin);
      expect((await change(made, headersFor(made.tag))).status, name).toBeLessThan(300);
    }
  });

  test('is 412 where it does not, and nothing has changed', async () => {
    const { service, admin } = await shared();
    const made = await makeOn(service, admin);
    for (const [, headersFor] of FAILS) {
      await expectRefusal(made.service, () => change(made, headersFor(made.tag)), {
        status: 412,
        body: { detail: ANY_STRING, code: 'precondition_failed' },
      });
    }
    expect((await change(made, { 'If-Match': made.tag })).status).toBeLessThan(300);
  });

  test.each(['nope', '0123456789abcdef', '"a" "b"', '"a', 'w/"a"', '*, "a"', ''])('takes no `%s`', async (value) => {
    const { service, admin } = await shared();
    const made = await makeOn(service, admin);
    await expectRefusal(made.service, () => change(made, { 'If-Match': value }), {
      status: 422,
      body: { detail: [{ loc: ['header', 'If-Match'], msg: ANY_STRING, type: ANY_STRING }] },
    });
  });
});

test('a use of the token changes nothing that a condition sees, an edit does', async () => {
  const made = await make();
  const { service, admin, id, plaintext, tag } = made;
  expect((await send(service, 'GET /api/v1/auth/me', { token: plaintext })).status).toBe(200);
  const edit = (name: string) =>
    send(service, `PATCH ${TOKENS}/${id}`, { token: admin, json: { name }, headers: { 'If-Match': tag } });
  expect((await edit('one')).status).toBe(200);
  await expectRefusal(service, () => edit('two'), { status: 412 });
  await expectRefusal(
    service,
    () => send(service, `DELETE ${TOKENS}/${id}`, { token: admin, headers: { 'If-Match': tag } }),
    { status: 412 },
  );
});

test('a token that is revoked already is revoked again, whatever the condition', async () => {
  const made = await make();
  const { service, admin, id, tag } = made;
  expect((await send(service, `DELETE ${TOKENS}/${id}`, { token: admin, headers: { 'If-Match': tag } })).status).toBe(
    204,
  );
  for (const headers of [
    {},
    { 'If-Match': tag },
    { 'If-Match': OTHER },
    { 'If-Match': '*' },
    { 'If-None-Match': '*' },
  ]) {
    service.clock.advance(1_000);
    expect((await send(service, `DELETE ${TOKENS}/${id}`, { token: admin, headers })).status).toBe(204);
  }
  const { body } = await send(service, `GET ${TOKENS}/${id}`, { token: admin });
  expect(body).toMatchObject({ revokedAt: '2030-06-15T12:00:00.000Z' });
});

test('where there is no such token a condition makes no difference', async () => {
  const { service, admin } = await make();
  const missing = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
  for (const headers of [{ 'If-Match': OTHER }, { 'If-Match': '*' }, { 'If-None-Match': '*' }]) {
    for (const line of [
      `DELETE ${TOKENS}/${missing}`,
      `POST ${TOKENS}/${missing}/rotate`,
      'DELETE /api/v1/auth/private_tokens/99/',
    ] as const) {
      await expectRefusal(service, () => send(service, line, { token: admin, headers }), { status: 404 });
    }
    const json = { fullName: 'Ada' };
    await expectRefusal(service, () => send(service, 'PATCH /api/v1/users/99', { token: admin, json, headers }), {
      status: 404,
    });
  }
});

describe('what has no ETag', () => {
  const UNTAGGED: [string, (made: Made) => { line: Line; json?: unknown }][] = [
    ['a private token', ({ privateId }) => ({ line: `DELETE /api/v1/auth/private_tokens/${String(privateId)}/` })],
    ['a user', () => ({ line: 'PATCH /api/v1/users/1', json: { fullName: 'Ada' } })],
  ];

  test.each(UNTAGGED)('%s: no tag matches, and * does', async (_, requestFor) => {
    const made = await make();
    const { line, json } = requestFor(made);
    const change = (headers: Conditions) => send(made.service, line, { token: made.admin, json, headers });
    const detail = 'This has no ETag, so If-Match must be *.';
    const body = line.includes('private') ? { detail } : { detail, code: 'precondition_failed' };
    for (const headers of [
      { 'If-Match': made.tag },
      { 'If-Match': `W/${OTHER}, ${OTHER}` },
      { 'If-Match': '""' },
      { 'If-None-Match': '*' },
      { 'If-Match': '*', 'If-None-Match': '*' },
    ]) {
      await expectRefusal(made.service, () => change(headers), { status: 412, body });
    }
    await expectRefusal(made.service, () => change({ 'If-Match': 'nope' }), {
      status: line.includes('private') ? 400 : 422,
    });
    const done = await change({ 'If-Match': '*', 'If-None-Match': OTHER, 'If-Unmodified-Since': 'yesterday' });
    expect(done.status).toBeLessThan(300);
  });
});

test('everything else ignores conditions, collections and reading included', async () => {
  const { service, admin, id, plaintext } = await make();
  const headers = { 'If-Match': OTHER, 'If-None-Match': '*', 'If-Modified-Since': 'Sat, 29 Oct 2094 19:43:31 GMT' };
  const requests: [Line, unknown][] = [
    [`GET ${TOKENS}/${id}`, undefined],
    [`GET ${TOKENS}`, undefined],
    ['GET /openapi.json', undefined],
    [`POST ${TOKENS}`, { name: 'another' }],
    ['POST /api/v1/auth/private_tokens/', { name: 'another', expiration_time: '2031-01-01T00:00:00Z' }],
    [`POST ${TOKENS}/verify`, { token: plaintext }],
    [`POST ${TOKENS}/revoke`, { ids: [id] }],
    ['POST /api/v1/users', { email: 'ada@example.org' }],
    [`DELETE ${TOKENS}`, undefined],
    ['POST /api/v1/auth/logout', undefined],
  ];
  for (const [line, json] of requests) {
    expect((await send(service, line, { token: admin, json, headers })).status, line).toBeLessThan(300);
  }
  const { token } = await service.admin();
  const body = `token=${token}`;
  expect((await send(service, 'POST /oauth/revoke', { token, body, headers: { ...headers, ...FORM } })).status).toBe(
    200,
  );
});

test('a condition is part of the request that an Idempotency-Key names', async () => {
  const { service, admin, id, tag } = await make();
  const rotate = (headers: Conditions) =>
    send(service, `POST ${TOKENS}/${id}/rotate`, { token: admin, headers: { 'Idempotency-Key': 'k', ...headers } });
  const first = await rotate({ 'If-Match': tag });
  expect(first.status).toBe(200);
  // The token has changed by that very request, and its repetition is none the less the same.
  expect((await rotate({ 'If-Match': tag })).text).toBe(first.text);
  for (const headers of [{}, { 'If-Match': '*' }, { 'If-Match': tag, 'If-None-Match': OTHER }]) {
    await expectRefusal(service, () => rotate(headers), { status: 422 });
  }
});
