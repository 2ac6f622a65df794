import { describe, expect, expectTypeOf, test } from 'vitest';
import { createLatchkey, type ErrorCode, type InputProblem, type Latchkey, LatchkeyError } from '../../client/index.js';
import { openUsers } from '../../server/index.js';
import { type Answering, EMPTY_PAGE, JSON_TYPE, serveAnswers } from '../support/answers.js';
import { rejectionOf } from '../support/rejection.js';
import { ADMIN, HOUR, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';

const UNKNOWN_ID = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';

describe('what the service refuses', () => {
  const shared = shareService();

  test.each<[string, (lk: Latchkey) => Promise<unknown>, number, ErrorCode]>([
    ['an unknown access token', (lk) => lk.getAccessToken({ path: { token_id: UNKNOWN_ID } }), 404, 'not_found'],
    ['an unknown private token', (lk) => lk.revokePrivateToken({ path: { id: 4_000 } }), 404, 'not_found'],
    ['a page past the end', (lk) => lk.listPrivateTokens({ query: { page: 9 } }), 404, 'not_found'],
    ['a large body', (lk) => lk.createAccessToken({ body: { name: 'a'.repeat(70_000) } }), 413, 'payload_too_large'],
    [
      'a large body of the other API',
      (lk) => lk.createPrivateToken({ body: { name: 'a'.repeat(70_000), expiration_time: '' } }),
      413,
      'payload_too_large',
    ],
    [
      'another media type',
      (lk) => lk.createAccessToken({ body: { name: 'a' }, headers: { 'Content-Type': 'text/plain' } }),
      415,
      'unsupported_media_type',
    ],
    ['a wrong password', (lk) => lk.logIn({ username: ADMIN.email, password: 'wrong password' }), 401, 'unauthorized'],
    [
      'a refresh token that is none',
      (lk) => lk.refreshSession({ body: { refresh_token: 'lk_ref_none' } }),
      401,
      'unauthorized',
    ],
  ])('%s rejects with its code, its status and the request id', async (_, call, status, code) => {
    const { service, admin } = await shared();
    const lk = createLatchkey({ baseUrl: service.url, token: admin.token, headers: { 'X-Request-Id': 'the-request' } });
    const error = await rejectionOf(call(lk));
    expect(error).toMatchObject({ name: 'LatchkeyError', code, status, requestId: 'the-request', problems: [] });
    expect(error.message).toMatch(/^[A-Z].*\.$/);
  });

  test.each<[string, (lk: Latchkey) => Promise<unknown>]>([
    ['access tokens', (lk) => lk.listAccessTokens()],
    ['private tokens', (lk) => lk.listPrivateTokens()],
    ['OAuth', (lk) => lk.introspectToken({ body: { token: 'a' } })],
  ])('a missing credential is unauthorized for %s', async (_, call) => {
    const { service } = await shared();
    const error = await rejectionOf(call(createLatchkey({ baseUrl: service.url })));
    expect(error).toMatchObject({ code: 'unauthorized', status: 401 });
  });

  test('bad input has its problems in one form, whichever API found them', async () => {
    const { service, admin } = await shared();
    const lk = createLatchkey({ baseUrl: service.url, token: admin.token });
    const { problems: ofAccessTokens, ...error } = await rejectionOf(lk.createAccessToken({ body: { name: '' } }));
    const { problems: ofPrivateTokens } = await rejectionOf(
      lk.createPrivateToken({ body: { name: '', expiration_time: '2031-01-01T00:00:00Z' } }),
    );
    const message = 'String should have at least 1 character';
    expect(error).toMatchObject({ code: 'invalid_input', status: 422 });
    expect(ofAccessTokens).toEqual([{ field: 'name', message, type: 'string_too_short', location: 'body' }]);
    expect(ofPrivateTokens).toEqual([{ field: 'name', message }]);
  });

  test('a problem of no one field has null for a field', async () => {
    const { service, admin } = await shared();
    const lk = createLatchkey({ baseUrl: service.url, token: admin.token });
    const wrong = 'no object' as unknown as { name: string; expiration_time: string };
    expect(await rejectionOf(lk.createPrivateToken({ body: wrong }))).toMatchObject({
      code: 'invalid_input',
      status: 400,
      problems: [{ field: null }],
    });
    expect(await rejectionOf(lk.createAccessToken({ body: wrong }))).toMatchObject({
      code: 'invalid_input',
      status: 422,
      problems: [{ field: null, location: 'body' }],
    });
  });
});

describe('what OAuth refuses', () => {
  const shared = shareService();

  test.each<[string, (lk: Latchkey) => Promise<unknown>, number, ErrorCode]>([
    ['a large body', (lk) => lk.introspectToken({ body: { token: 'a'.repeat(70_000) } }), 413, 'payload_too_large'],
    [
      'another media type',
      (lk) => lk.revokeOAuthToken({ body: { token: 'a' }, headers: { 'Content-Type': 'text/plain' } }),
      415,
      'unsupported_media_type',
    ],
  ])('%s has the code that it has elsewhere', async (_, call, status, code) => {
    const { service, admin } = await shared();
    const error = await rejectionOf(call(createLatchkey({ baseUrl: service.url, token: admin.token })));
    expect(error).toMatchObject({ code, status, problems: [], requestId: expect.any(String) as string });
    expect(error.message).toMatch(/^The body .*\.$/);
  });

  test('bad input is invalid input, in a sentence', async () => {
    const { service, admin } = await shared();
    const lk = createLatchkey({ baseUrl: service.url, token: admin.token });
    const error = await rejectionOf(lk.introspectToken({ body: { token: '' } }));
    expect(error).toMatchObject({
      code: 'invalid_input',
      status: 400,
      message: 'Invalid input: token: String should have at least 1 character',
      problems: [{ field: null, message: 'token: String should have at least 1 character' }],
    });
  });

  test.each<[number, ErrorCode]>([
    [401, 'unauthorized'],
    [403, 'insufficient_scope'],
    [429, 'too_many_requests'],
    [500, 'internal_error'],
    [503, 'service_unavailable'],
  ])('with status %i has the code of the status, whatever OAuth calls it', async (status, code) => {
    const body = '{"error":"server_error","error_description":"Not now."}';
    const { url } = await serveAnswers({ status, headers: JSON_TYPE, body });
    const error = await rejectionOf(
      createLatchkey({ baseUrl: url, maxRetries: 0 }).introspectToken({ body: { token: 'a' } }),
    );
    expect(error).toMatchObject({ code, status, message: 'Not now.' });
  });

  test('an expired session is refreshed here as elsewhere', async () => {
    const service = await startService();
    const lk = createLatchkey({ baseUrl: service.url });
    await lk.logIn({ username: ADMIN.email, password: ADMIN.password });
    service.clock.advance(2 * HOUR);
    expect(await lk.introspectToken({ body: { token: 'none' } })).toEqual({ active: false });
  });
});

test('a token that is not as it should be is told by its code', async () => {
  const service = await startService({ maxTokensPerOwner: 2 });
  const { token: session } = await service.admin();
  const lk = createLatchkey({ baseUrl: service.url, token: session });
  const made = await lk.createAccessToken({ body: { name: 'expires', expiresInDays: 1 } });
  const path = { token_id: made.token.id };
  const other = await lk.createAccessToken({ body: { name: 'revoked' } });
  const limit = await rejectionOf(lk.createAccessToken({ body: { name: 'one too many' } }));
  expect(limit).toMatchObject({ code: 'token_limit_reached', status: 409, problems: [] });
  const body = { name: 'one too many', expiration_time: '2031-01-01T00:00:00Z' };
  expect(await rejectionOf(lk.createPrivateToken({ body }))).toMatchObject({
    code: 'invalid_input',
    status: 400,
    problems: [{ field: null, message: limit.message }],
  });

  await lk.revokeAccessToken({ path: { token_id: other.token.id } });
  for (const call of [
    lk.updateAccessToken({ path: { token_id: other.token.id }, body: { name: 'a' } }),
    lk.rotateAccessToken({ path: { token_id: other.token.id } }),
  ]) {
    expect(await rejectionOf(call)).toMatchObject({ code: 'token_revoked', status: 409 });
  }

  service.clock.advance(25 * HOUR);
  const { token } = await service.admin();
  const later = createLatchkey({ baseUrl: service.url, token });
  const edit = later.updateAccessToken({ path, body: { expiresInDays: 1 } });
  expect(await rejectionOf(edit)).toMatchObject({ code: 'token_expired', status: 409 });
});

test('a disabled user is told so', async () => {
  const service = await startService();
  const { email, password } = await service.newUser();
  const users = await openUsers(service.database);
  await users.disable(email);
  await users.close();
  const error = await rejectionOf(createLatchkey({ baseUrl: service.url }).logIn({ username: email, password }));
  expect(error).toMatchObject({ code: 'user_disabled', status: 403 });
});

test('too many failed logins say how long to wait', async () => {
  const { url } = await startService();
  const lk = createLatchkey({ baseUrl: url });
  let error: LatchkeyError;
  do {
    error = await rejectionOf(lk.logIn({ username: ADMIN.email, password: 'wrong password' }));
  } while (error.code === 'unauthorized');
  expect(error).toMatchObject({ code: 'too_many_requests', status: 429 });
  expect(error.retryAfterSeconds).toBeGreaterThan(0);
});

test.each<[string, Answering, number]>([
  ['an HTML page with status 200', { headers: { 'Content-Type': 'text/html' }, body: '<h1>Welcome</h1>' }, 200],
  ['JSON that says it is HTML', { headers: { 'Content-Type': 'text/html' }, body: '{}' }, 200],
  ['half a JSON text', { headers: JSON_TYPE, body: '{"items": [' }, 200],
  ['a list where an object belongs', { headers: JSON_TYPE, body: '[]' }, 200],
  ['no content where some belongs', { status: 204 }, 204],
  ['an empty 502', { status: 502 }, 502],
  ["a gateway's HTML 503", { status: 503, headers: { 'Content-Type': 'text/html' }, body: '<h1>Oops</h1>' }, 503],
  ["a gateway's JSON 404", { status: 404, headers: JSON_TYPE, body: '{"message":"no Route matched"}' }, 404],
  ['a status that the contract lacks', { status: 418, headers: JSON_TYPE, body: '{"detail":"a teapot"}' }, 418],
  ['problems of another form', { status: 422, headers: JSON_TYPE, body: '{"detail":[{"loc":"name"}]}' }, 422],
  ['a redirect', { status: 307, headers: { Location: 'https://example.org/' } }, 307],
])('%s is an unexpected answer', async (_, answer, status) => {
  const { url } = await serveAnswers(answer);
  const error = await rejectionOf(createLatchkey({ baseUrl: url, maxRetries: 0 }).listAccessTokens());
  expect(error).toMatchObject({ code: 'unexpected_answer', status, problems: [] });
  expect(error.message).not.toMatch(/Welcome|Oops/);
});

test('an answer with a body where none belongs is an unexpected answer', async () => {
  const { url } = await serveAnswers({ headers: { 'Content-Type': 'text/html' }, body: '<h1>Welcome</h1>' });
  const error = await rejectionOf(
    createLatchkey({ baseUrl: url }).revokeAccessToken({ path: { token_id: UNKNOWN_ID } }),
  );
  expect(error).toMatchObject({ code: 'unexpected_answer', status: 200 });
});

test('a server that is not there is a network error with the reason of the system', async () => {
  const service = await startService();
  await service.stop();
  const error = await rejectionOf(createLatchkey({ baseUrl: service.url, maxRetries: 0 }).getHealth());
  expect(error).toMatchObject({ code: 'network_error', status: undefined, requestId: undefined });
  expect(error.message).toBe('The service did not answer (ECONNREFUSED).');
  expect(error.cause).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
});

test.each<Answering>(['drop', 'cut'])('a connection that is closed early (%s) is a network error', async (answer) => {
  const { url } = await serveAnswers(answer);
  const error = await rejectionOf(createLatchkey({ baseUrl: url, maxRetries: 0 }).listAccessTokens());
  expect(error.code).toBe('network_error');
});

test('a call is an error only once, although it can be asked for its data and its answer', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listen);
  const { url } = await serveAnswers({ status: 502 });
  const call = createLatchkey({ baseUrl: url, maxRetries: 0 }).getHealth();
  expect(await rejectionOf(call.withResponse())).toMatchObject({ status: 502 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('unhandledRejection', listen);
  expect(unhandled).toEqual([]);
});

test('an error is an Error that logs as JSON and can be made in tests', () => {
  const error = new LatchkeyError({ code: 'not_found', status: 404, message: 'No such token.', requestId: 'r' });
  expect(error).toBeInstanceOf(Error);
  expect(error.stack).toMatch(/^LatchkeyError: No such token\./);
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    name: 'LatchkeyError',
    message: 'No such token.',
    code: 'not_found',
    status: 404,
    requestId: 'r',
    problems: [],
  });
});

test('the code narrows the error', () => {
  const narrow = (thrown: unknown) => {
    if (!(thrown instanceof LatchkeyError)) return;
    expectTypeOf(thrown).toEqualTypeOf<LatchkeyError>();
    switch (thrown.code) {
      case 'invalid_input':
        expectTypeOf(thrown.problems[0]).toEqualTypeOf<InputProblem>();
        expectTypeOf(thrown.status).toEqualTypeOf<number | undefined>();
        break;
      case 'network_error':
      case 'timeout':
        expectTypeOf(thrown.status).toEqualTypeOf<undefined>();
        break;
      case 'token_revoked':
      case 'precondition_failed':
        expectTypeOf(thrown.problems).toEqualTypeOf<readonly []>();
        expectTypeOf(thrown.status).toEqualTypeOf<number>();
        break;
      case 'unexpected_answer':
        expectTypeOf(thrown.status).toEqualTypeOf<number>();
        break;
      default:
        expectTypeOf(thrown.code).toEqualTypeOf<Exclude<ErrorCode, 'token_revoked' | 'precondition_failed'>>();
        expectTypeOf(thrown.status).toEqualTypeOf<number>();
    }
    // @ts-expect-error -- the codes are closed
    return thrown.code === 'no_such_code';
  };
  expectTypeOf(narrow).toBeFunction();
});

describe('of a newer service', () => {
  const refusal = (status: number, body: object): Answering => ({
    status,
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  });
  const lk = async (...answers: Answering[]) => {
    const { url, received } = await serveAnswers(...answers);
    return { received, lk: createLatchkey({ baseUrl: url, maxRetries: 0 }) };
  };

  test.each([400, 402, 403, 404, 409, 418, 422, 451, 503])(
    'an unknown code of status %i is told as it is',
    async (status) => {
      const body = { detail: 'The moon is full.', code: 'moon_is_full', help: { url: 'https://example.org' } };
      const error = await rejectionOf((await lk(refusal(status, body))).lk.listAccessTokens());
      expect(error).toMatchObject({ code: 'moon_is_full', status, message: 'The moon is full.', problems: [] });
    },
  );

  test.each(['', 'Not A Code', '<b>', 7, null, { a: 1 }, 'x'.repeat(65)])(
    'what is no code (%j) is left to the status',
    async (code) => {
      const error = await rejectionOf((await lk(refusal(404, { detail: 'No.', code }))).lk.listAccessTokens());
      expect(error).toMatchObject({ code: 'not_found', status: 404 });
    },
  );

  test('problems of unknown types, with further members, are problems', async () => {
    const problem = { loc: ['body', 'name'], msg: 'Too plain', type: 'too_plain', input: 'a', ctx: { least: 3 } };
    const error = await rejectionOf(
      (await lk(refusal(422, { detail: [problem], docs: 'https://example.org' }))).lk.getMe(),
    );
    expect(error).toMatchObject({
      code: 'invalid_input',
      problems: [{ field: 'name', message: 'Too plain', type: 'too_plain' }],
    });
    const byField = refusal(400, { name: ['Too plain.'], request_id: 'abc' });
    expect(await rejectionOf((await lk(byField)).lk.listPrivateTokens())).toMatchObject({
      code: 'invalid_input',
      problems: [{ field: 'name', message: 'Too plain.' }],
    });
  });

  test('members that are not known are among the data', async () => {
    const items = [{ id: 'a', name: 'b', region: 'eu' }];
    const answer = { headers: JSON_TYPE, body: JSON.stringify({ items, nextCursor: null, total: 1 }) };
    expect(await (await lk(answer)).lk.listAccessTokens()).toEqual({ items, nextCursor: null, total: 1 });
  });

  test('a 401 of an unknown code refreshes the session as any other', async () => {
    const session = (n: number) =>
      refusal(200, { access_token: `ses-${String(n)}`, refresh_token: `ref-${String(n)}` });
    const { lk: client, received } = await lk(
      session(1),
      refusal(401, { detail: 'No.', code: 'too_old' }),
      session(2),
      EMPTY_PAGE,
    );
    await client.logIn({ username: 'a@example.org', password: 'a password' });
    await client.listAccessTokens();
    expect(received.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer ses-1',
      undefined,
      'Bearer ses-2',
    ]);
  });
});
