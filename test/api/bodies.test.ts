import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { send } from '../support/http.js';
import { ANY_STRING } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { ADMIN } from '../support/service.js';
import { shareService } from '../support/shared.js';

const WITH_BODY = {
  'POST /api/v1/access-tokens': { json: { name: 'a' }, code: true, invalid: 422, success: 201 },
  'POST /api/v1/auth/private_tokens/': {
    json: { name: 'a', expiration_time: '2031-06-15T12:00:00.000Z' },
    code: false,
    invalid: 400,
    success: 201,
  },
  'POST /api/v1/auth/login/': {
    json: { username: ADMIN.email, password: ADMIN.password },
    code: false,
    invalid: 400,
    success: 200,
  },
} as const;
const operations = Object.entries(WITH_BODY) as [keyof typeof WITH_BODY, (typeof WITH_BODY)[keyof typeof WITH_BODY]][];
const LIMIT = 65_536;

/** `json` in exactly so many bytes. */
function padded(json: object, bytes: number): string {
  return JSON.stringify(json).padEnd(bytes);
}

describe.each(operations)('the body of %s', (line, { json, code, invalid, success }) => {
  const shared = shareService();
  const text = JSON.stringify(json);
  const error = (name: string) => ({ detail: ANY_STRING, ...(code && { code: name }) });

  test.each([
    ['nothing', undefined],
    ['text', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['a form with files', 'multipart/form-data; boundary=a'],
    ['another JSON', 'application/vnd.api+json'],
    ['JSON among others', 'text/plain, application/json'],
    ['JSON in Latin-1', 'application/json; charset=iso-8859-1'],
    ['JSON in UTF-16', 'application/json; charset=utf-16'],
  ])('that calls itself %s is 415', async (_, type) => {
    const { service, admin } = await shared();
    const parts = { token: admin.token, body: text, headers: { 'Content-Type': type } };
    await expectRefusal(service, () => send(service, line, parts), {
      status: 415,
      body: error('unsupported_media_type'),
    });
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])(
    'that calls itself %s is read',
    async (type) => {
      const { service, admin } = await shared();
      const parts = { token: admin.token, body: text, headers: { 'Content-Type': type } };
      expect((await send(service, line, parts)).status).toBe(success);
    },
  );

  test.each([
    ['gzip', gzipSync(text)],
    ['deflate', Buffer.from(text)],
    ['br', Buffer.from(text)],
  ])('in %s is 415', async (encoding, body) => {
    const { service, admin } = await shared();
    const parts = { token: admin.token, body, headers: { 'Content-Encoding': encoding } };
    await expectRefusal(service, () => send(service, line, parts), {
      status: 415,
      body: error('unsupported_media_type'),
    });
  });

  test.each([
    ['announced', {}],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }],
  ])('may have 64 KiB and no more, %s', async (_, headers) => {
    const { service, admin } = await shared();
    const parts = { token: admin.token, headers };
    expect((await send(service, line, { ...parts, body: padded(json, LIMIT) })).status).toBe(success);
    await expectRefusal(service, () => send(service, line, { ...parts, body: padded(json, LIMIT + 1) }), {
      status: 413,
      body: error('payload_too_large'),
    });
  });

  test.each([
    ['a byte that never is in UTF-8', Buffer.from('ff', 'hex')],
    ['a cut sequence', Buffer.from('c3', 'hex')],
    ['an overlong form', Buffer.from('c0af', 'hex')],
    ['a surrogate', Buffer.from('eda080', 'hex')],
  ])('with %s is refused as no JSON', async (_, bytes) => {
    const { service, admin } = await shared();
    const [head = ''] = text.split(/(?<=:")/);
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(text.slice(head.length))]);
    const { body: answered } = await expectRefusal(service, () => send(service, line, { token: admin.token, body }), {
      status: invalid,
    });
    expect(answered).toEqual(
      code ? { detail: [{ loc: ['body'], msg: ANY_STRING, type: 'json_invalid' }] } : { detail: ANY_STRING },
    );
  });

  test('nested 30000 deep is refused', async () => {
    const { service, admin } = await shared();
    const body = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    await expectRefusal(service, () => send(service, line, { token: admin.token, body }), { status: invalid });
  });

  test('with a thousand unknown members is refused with an answer of bounded length', async () => {
    const { service, admin } = await shared();
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`member${String(i)}`, i]));
    const parts = { token: admin.token, json: { ...json, ...many } };
    const answer = await expectRefusal(service, () => send(service, line, parts), { status: invalid });
    expect(answer.text.length).toBeLessThan(16_384);
  });
});

describe('of members that are sent twice', () => {
  const shared = shareService();
  test.each([
    ['the last counts', '{"name":"first","name":"last"}', 201, 'last'],
    ['the last counts, be it good', '{"name":7,"name":"last"}', 201, 'last'],
  ])('%s', async (_, body, status, name) => {
    const { service, admin } = await shared();
    const answer = await send(service, 'POST /api/v1/access-tokens', { token: admin.token, body });
    expect(answer).toMatchObject({ status, body: { token: { name } } });
  });

  test('the last counts, be it bad', async () => {
    const { service, admin } = await shared();
    const parts = { token: admin.token, body: '{"name":"first","name":""}' };
    await expectRefusal(service, () => send(service, 'POST /api/v1/access-tokens', parts), { status: 422 });
  });
});
