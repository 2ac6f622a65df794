import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  type AccessToken,
  createAccessToken,
  getAccessToken,
  getMe,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  updateAccessToken,
  type Verification,
  type VerificationRequest,
  verifyAccessToken,
  verifyAccessTokens,
} from '../../../generated/index.js';
import { openUsers } from '../../../server/index.js';
import { createCountingDatabase } from '../../support/counting-database.js';
import { createFaultyDatabase } from '../../support/faulty-database.js';
import { type RequestParts, send } from '../../support/http.js';
import { ANY_STRING, matching, without } from '../../support/matchers.js';
import { UNKNOWN_TOKEN, withChecksum } from '../../support/plaintext.js';
import { NOT_VALID, type Presented, type PresentedName, presentTokens, VALID } from '../../support/presented.js';
import { expectNoSecret, expectRefusal, logged } from '../../support/refusal.js';
import { answered, type Client, DAY, HOUR, MINUTE, SECOND, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const VERIFY = 'POST /api/v1/access-tokens/verify';
const VERIFY_BATCH = 'POST /api/v1/access-tokens/verify-batch';
const ALPHABET = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

const EXPECTED = [...VALID.map((name) => [name, 'valid'] as const), ...NOT_VALID];
const UNPROVEN = new Set<string>(['malformed', 'unknown']);

async function verify(client: Client, token: string, scopes?: string[]): Promise<Verification> {
  return await answered(verifyAccessToken({ client, body: { token, ...(scopes && { scopes }) } }));
}

async function verifyAll(client: Client, tokens: (string | VerificationRequest)[]): Promise<Verification[]> {
  const body = { tokens: tokens.map((token) => (typeof token === 'string' ? { token } : token)) };
  return (await answered(verifyAccessTokens({ client, body }))).results;
}

async function create(client: Client, expiresInDays: number | null = null) {
  return await answered(createAccessToken({ client, body: { name: 'deploy bot', expiresInDays } }));
}

function get(client: Client, token_id: string) {
  return answered(getAccessToken({ client, path: { token_id } }));
}

function rotate(client: Client, token_id: string, gracePeriodSeconds: number) {
  return answered(rotateAccessToken({ client, path: { token_id }, body: { gracePeriodSeconds } }));
}

/** A token's record but for its last use, which is written a moment later. */
function unused(token: AccessToken | null): unknown {
  const { previousSecret } = token ?? {};
  return (
    token && {
      ...without(token, 'lastUsedAt'),
      previousSecret: previousSecret && without(previousSecret, 'lastUsedAt'),
    }
  );
}

/** What a verification says of a presented token. */
function expectedOf({ token, owner }: Presented, code: string): unknown {
  return {
    valid: code === 'valid',
    code,
    token: unused(token),
    owner: owner && {
      id: owner.session.id,
      email: owner.email,
      fullName: `Name of ${owner.email}`,
      organizationId: owner.session.company_id,
    },
  };
}

function seen(verification: Verification): unknown {
  return { ...verification, token: unused(verification.token) };
}

function expectCode(code: string, verification: Verification): void {
  expect(verification).toMatchObject({ code, valid: code === 'valid' });
  expect(verification.token === null).toBe(UNPROVEN.has(code));
  expect(verification.owner === null).toBe(UNPROVEN.has(code));
}

const shared = shareService(presentTokens);

describe('a verdict', () => {
  test.each(EXPECTED)('on %s is %s', async (name, code) => {
    const { service, made } = await shared();
    const presented = made.tokens[name];
    expect(presented.token === null).toBe(UNPROVEN.has(code));
    expect(seen(await verify(made.asker.client, presented.plaintext))).toEqual(expectedOf(presented, code));

    const answer = await send(service, VERIFY, { token: made.asker.token, json: { token: presented.plaintext } });
    expect(answer.status).toBe(200);
    await expectNoSecret(service, answer, [presented.plaintext.slice(13) || presented.plaintext]);
  });

  test('has every code that the contract knows', () => {
    const codes = new Set(EXPECTED.map(([, code]) => code));
    expect([...codes, 'insufficient_scope'].sort()).toEqual([
      'disabled',
      'expired',
      'insufficient_scope',
      'malformed',
      'owner_disabled',
      'revoked',
      'unknown',
      'valid',
    ]);
  });

  test.each(VALID)('on %s that must be allowed what it is not is insufficient_scope', async (name) => {
    const { made } = await shared();
    const presented = made.tokens[name];
    const verdict = await verify(made.asker.client, presented.plaintext, ['tokens:read', 'users:admin']);
    expect(seen(verdict)).toEqual(expectedOf(presented, 'insufficient_scope'));
  });

  test.each(EXPECTED)('on %s is the same where nothing is asked for by an empty list', async (name, code) => {
    const { made } = await shared();
    const presented = made.tokens[name];
    expect(seen(await verify(made.asker.client, presented.plaintext, []))).toEqual(expectedOf(presented, code));
  });

  test.each(NOT_VALID)('on %s stays %s, whatever it must be allowed', async (name, code) => {
    const { made } = await shared();
    expectCode(code, await verify(made.asker.client, made.tokens[name].plaintext, ['tokens:read']));
  });

  test('on a good token that any one character was changed of is malformed', async () => {
    const { made } = await shared();
    const { plaintext } = made.tokens['a token without an expiry'];
    const slip = fc
      .tuple(fc.nat(plaintext.length - 1), fc.constantFrom(...ALPHABET, '_', ' ', '-', 'é'))
      .filter(([at, character]) => plaintext[at] !== character)
      .map(([at, character]) => plaintext.slice(0, at) + character + plaintext.slice(at + 1));
    await fc.assert(
      fc.asyncProperty(fc.array(slip, { minLength: 100, maxLength: 100 }), async (slips) => {
        const codes = (await verifyAll(made.asker.client, slips)).map(({ code }) => code);
        expect(codes).toEqual(slips.map(() => 'malformed'));
      }),
      { numRuns: 20 },
    );
  });

  test.each<[string, (plaintext: string) => string]>([
    ['nothing', () => ''],
    ['white space', () => ' \t\n'],
    ['NUL', () => '\0'],
    ['a lone surrogate', () => '\uD800'],
    ['lone surrogates in the place of characters', (plaintext) => plaintext.slice(0, -2) + '\uDC00\uD800'],
    ['4096 characters', () => 'lk_pat_'.padEnd(4_096, 'a')],
    ['4096 characters outside the BMP', () => '😀'.repeat(4_096)],
    ['a token and a line end', (plaintext) => `${plaintext}\n`],
    ['a token after a space', (plaintext) => ` ${plaintext}`],
    ['two tokens', (plaintext) => `${plaintext} ${plaintext}`],
    ['a token with its scheme', (plaintext) => `Bearer ${plaintext}`],
    ['a token in upper case', (plaintext) => plaintext.toUpperCase()],
    ['a token in digits of another script', (plaintext) => plaintext.replace(/[0-9A-Za-z](?=.{6}$)/, '٣')],
    ["a token's start", (plaintext) => plaintext.slice(0, 12)],
    ["a token's digest", (plaintext) => createHash('sha256').update(plaintext).digest('hex')],
    ['a pattern that a token fits', () => `lk_pat_${'_'.repeat(36)}`],
    ['another brand', () => withChecksum(`xy_pat_${'0'.repeat(30)}`)],
    ['a longer brand', () => withChecksum(`lkx_pat_${'0'.repeat(30)}`)],
    ['another kind', () => withChecksum(`lk_key_${'0'.repeat(30)}`)],
    ['too few characters', () => withChecksum(`lk_pat_${'0'.repeat(29)}`)],
    ['too many characters', () => withChecksum(`lk_pat_${'0'.repeat(31)}`)],
  ])('on %s is malformed', async (_, make) => {
    const { service, made } = await shared();
    const token = make(made.tokens['a token with one'].plaintext);
    const answer = await send(service, VERIFY, { token: made.asker.token, json: { token } });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({ valid: false, code: 'malformed', token: null, owner: null });
  });

  test('on a token of the brand that the operator has chosen is valid, on one of another malformed', async () => {
    const service = await startService({ brand: 'acme' });
    const { client } = await service.admin();
    const { plaintext } = await create(client);
    expectCode('valid', await verify(client, plaintext));
    expectCode('malformed', await verify(client, withChecksum(plaintext.slice(0, -6).replace('acme', 'lk'))));
    expectCode('malformed', await verify(client, UNKNOWN_TOKEN));
  });

  test('follows each change from its answer on', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, 1);
    const path = { token_id: token.id };
    expectCode('valid', await verify(client, plaintext));
    await answered(updateAccessToken({ client, path, body: { disabled: true } }));
    expectCode('disabled', await verify(client, plaintext));
    await answered(updateAccessToken({ client, path, body: { disabled: false } }));
    expectCode('valid', await verify(client, plaintext));
    const rotated = await rotate(client, token.id, 0);
    expectCode('expired', await verify(client, plaintext));
    expectCode('valid', await verify(client, rotated.plaintext));
    await revokeAccessToken({ client, path });
    expectCode('revoked', await verify(client, rotated.plaintext));
  });

  test('holds to the millisecond', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const keeper = service.as((await create(client)).plaintext);
    const { plaintext } = await create(client, 1);
    service.clock.advance(DAY - 1);
    expectCode('valid', await verify(keeper, plaintext));
    service.clock.advance(1);
    expectCode('expired', await verify(keeper, plaintext));
  });
});

describe('of several reasons the first counts', () => {
  const REASONS = ['revoked', 'secret_ended', 'expired', 'disabled', 'owner_disabled'] as const;
  type Reason = (typeof REASONS)[number];
  const combinations: Reason[][] = Array.from({ length: 2 ** REASONS.length }, (_, bits) =>
    REASONS.filter((_reason, place) => (bits & (1 << place)) !== 0),
  );

  const shared = shareService(async (service) => {
    const stayer = await service.newUser('stayer@example.org');
    const leaver = await service.newUser('leaver@example.org');
    const plaintexts = new Map<Reason[], string>();
    for (const reasons of combinations) {
      const { client } = reasons.includes('owner_disabled') ? leaver : stayer;
      const { plaintext, token } = await create(client, reasons.includes('expired') ? 1 : null);
      const path = { token_id: token.id };
      if (reasons.includes('secret_ended')) await rotate(client, token.id, 0);
      if (reasons.includes('disabled')) await updateAccessToken({ client, path, body: { disabled: true } });
      if (reasons.includes('revoked')) await revokeAccessToken({ client, path });
      plaintexts.set(reasons, plaintext);
    }
    service.clock.advance(DAY);
    const users = await openUsers(service.database);
    await users.disable(leaver.email);
    await users.close();
    return { asker: await service.admin(), plaintexts };
  });

  test.each(combinations.map((reasons) => [reasons.join(', ') || 'none', reasons] as const))(
    '%s',
    async (_, reasons) => {
      const { service, made } = await shared();
      const plaintext = made.plaintexts.get(reasons) ?? '';
      const [first] = reasons;
      // Only the log says that a secret is an earlier one.
      const code = first === 'secret_ended' ? 'expired' : first;
      expectCode(code ?? 'valid', await verify(made.asker.client, plaintext));
      expectCode(code ?? 'insufficient_scope', await verify(made.asker.client, plaintext, ['a']));

      const answer = await send(service, 'GET /api/v1/auth/me', { token: plaintext });
      expect(answer.status).toBe(first === undefined ? 200 : 401);
      expect((await logged(service, answer)).reason).toBe(first);
    },
  );
});

describe('an earlier secret of a rotated token', () => {
  const warningsOf = ({ log }: Service) =>
    log
      .map((line) => JSON.parse(line) as { level: number; time: string })
      .filter(({ level }) => level === 40)
      .map((line) => without(line, 'time'));

  test('is valid to the end of its grace period, and the verdict says when that is', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const keeper = service.as((await create(client)).plaintext);
    const { plaintext, token } = await create(client, 30);
    const rotated = await rotate(client, token.id, (2 * HOUR) / SECOND);
    const end = '2030-06-15T14:00:00.000Z';
    expect(rotated.token.previousSecret?.validUntil).toBe(end);

    service.clock.advance(2 * HOUR - 1);
    expect(await verify(keeper, plaintext)).toMatchObject({ code: 'valid', token: { id: token.id, expiresAt: end } });
    const newest = await verify(keeper, rotated.plaintext);
    expect(newest).toMatchObject({ code: 'valid', token: { id: token.id, expiresAt: token.expiresAt } });
    service.clock.advance(1);
    expect(await verify(keeper, plaintext)).toMatchObject({ code: 'expired', token: { id: token.id, expiresAt: end } });
    expectCode('valid', await verify(keeper, rotated.plaintext));
  });

  test('is valid no longer than its token', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const keeper = service.as((await create(client)).plaintext);
    const { plaintext, token } = await create(client, 1);
    await rotate(client, token.id, (7 * DAY) / SECOND);
    expect(await verify(client, plaintext)).toMatchObject({ code: 'valid', token: { expiresAt: token.expiresAt } });
    service.clock.advance(DAY);
    expectCode('expired', await verify(keeper, plaintext));
  });

  test('is noticed in the log once that is over, without its plaintext', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { user } = await answered(getMe({ client }));
    const { plaintext, token } = await create(client);
    await rotate(client, token.id, 60);
    expectCode('valid', await verify(client, plaintext));
    expect(warningsOf(service)).toEqual([]);

    service.clock.advance(MINUTE);
    const warning = {
      level: 40,
      msg: 'earlier secret of a rotated token used after its grace period',
      tokenId: token.id,
      userId: user.id,
      requestId: expect.any(String) as string,
    };
    expectCode('expired', await verify(client, plaintext));
    expect(warningsOf(service)).toEqual([warning]);
    await verifyAll(client, [UNKNOWN_TOKEN, plaintext]);
    expect(warningsOf(service)).toEqual([warning, warning]);
    expect(service.log.join('')).not.toContain(plaintext.slice(12));
  });

  test('of a session is none to be noticed: each ends, while another is in use', async () => {
    const service = await startService();
    const { session, token: earlier } = await service.admin();
    service.clock.advance(HOUR / 2);
    const body = { refresh_token: session.refresh_token };
    const refreshed = await answered(refreshSession({ client: service.anonymous, body }));
    service.clock.advance(HOUR / 2);
    expectCode('expired', await verify(service.as(refreshed.access_token), earlier));
    expect(warningsOf(service)).toEqual([]);
  });
});

describe('who may ask', () => {
  const shared = shareService(async (service, { client, token }) => {
    const stranger = await service.newUser();
    return {
      asked: await create(client),
      stranger,
      strangersPat: (await create(stranger.client)).plaintext,
      admin: token,
    };
  });

  test.each<[string, (session: string, pat: string) => Record<string, string>]>([
    ['a session', (session) => ({ Authorization: `Bearer ${session}` })],
    ['a token', (_, pat) => ({ Authorization: `Bearer ${pat}` })],
    ['a token as X-API-Key', (_, pat) => ({ 'X-API-Key': pat })],
    [
      'the cookie, from this origin',
      (session) => ({ Cookie: `vai_token=${session}`, 'Sec-Fetch-Site': 'same-origin' }),
    ],
  ])('anybody with %s, about anybody’s token', async (_, headersOf) => {
    const { service, admin, made } = await shared();
    const headers = headersOf(made.stranger.token, made.strangersPat);
    const proven = { code: 'valid', token: { id: made.asked.token.id }, owner: { email: admin.email } };
    const single = await send(service, VERIFY, { headers, json: { token: made.asked.plaintext } });
    expect(single).toMatchObject({ status: 200, body: proven });
    const batch = await send(service, VERIFY_BATCH, { headers, json: { tokens: [{ token: made.asked.plaintext }] } });
    expect(batch).toMatchObject({ status: 200, body: { results: [proven] } });
  });

  test.each<[string, number, (session: string, asked: string) => RequestParts]>([
    ['nobody without a credential', 401, () => ({})],
    ['nobody with an unknown one', 401, () => ({ token: UNKNOWN_TOKEN })],
    ['nobody with Basic', 401, (session) => ({ headers: { Authorization: `Basic ${btoa(`:${session}`)}` } })],
    [
      'no other site by the cookie',
      403,
      (session) => ({ headers: { Cookie: `vai_token=${session}`, 'Sec-Fetch-Site': 'cross-site' } }),
    ],
  ])('%s', async (_, status, partsOf) => {
    const { service, made } = await shared();
    const parts = partsOf(made.stranger.token, made.asked.plaintext);
    const token = made.asked.plaintext;
    await expectRefusal(service, () => send(service, VERIFY, { ...parts, json: { token } }), { status });
    const json = { tokens: [{ token }] };
    await expectRefusal(service, () => send(service, VERIFY_BATCH, { ...parts, json }), { status });
  });
});

describe('a use', () => {
  /** Asks with a token that no restart and no day ends. */
  const keep = async (service: Service) => (await create((await service.admin()).client)).plaintext;

  test.each<[string, (client: Client, token: string) => Promise<unknown>]>([
    ['verifying', (client, token) => verify(client, token)],
    ['verifying among others', (client, token) => verifyAll(client, ['nonsense', token, token])],
  ])('is what %s a good token counts as: within a minute, without a write for each request', async (_, ask) => {
    const counting = createCountingDatabase();
    const service = await startService({ openDatabase: (path) => counting.open(path) });
    const keeper = await keep(service);
    const client = service.as(keeper);
    const { plaintext, token } = await create(client);
    const lastUsed = async () => (await get(service.as(keeper), token.id)).lastUsedAt;
    expect(await lastUsed()).toBeNull();
    service.clock.advance(5 * SECOND);
    const before = counting.transactions();
    for (let i = 0; i < 50; i++) await ask(client, plaintext);
    await vi.waitFor(async () => {
      expect(await lastUsed()).toBe('2030-06-15T12:00:05.000Z');
    }, 5_000);
    expect(counting.transactions()).toBeLessThan(before + 20);

    service.clock.advance(MINUTE);
    await ask(client, plaintext);
    await service.restart();
    expect(await lastUsed()).toBe('2030-06-15T12:01:05.000Z');
  });

  test('is not what a verdict against a token counts as', async () => {
    const service = await startService();
    const keeper = await keep(service);
    const client = service.as(keeper);
    const expired = await create(client, 1);
    const disabled = await create(client);
    await answered(updateAccessToken({ client, path: { token_id: disabled.token.id }, body: { disabled: true } }));
    const revoked = await create(client);
    await revokeAccessToken({ client, path: { token_id: revoked.token.id } });
    const unscoped = await create(client);
    const superseded = await create(client);
    await rotate(client, superseded.token.id, 0);
    service.clock.advance(DAY);

    const asked = [expired, disabled, revoked, superseded].map(({ plaintext }) => ({ token: plaintext }));
    const questions: VerificationRequest[] = [...asked, { token: unscoped.plaintext, scopes: ['a'] }];
    for (const { token, scopes } of questions) expect((await verify(client, token, scopes)).valid).toBe(false);
    expect((await verifyAll(client, questions)).map(({ valid }) => valid)).not.toContain(true);
    await service.restart();
    for (const { token } of [expired, disabled, revoked, unscoped, superseded]) {
      expect(await get(service.as(keeper), token.id)).toMatchObject({ id: token.id, lastUsedAt: null });
    }
  });

  test('of an earlier secret is kept apart from one of the newest, whatever their digests', async () => {
    const service = await startService();
    const keeper = await keep(service);
    const client = service.as(keeper);
    const { plaintext, token } = await create(client);
    const secrets = [plaintext];
    // Of digests that start with other bytes, though their starts as text are alike.
    const startOf = (secret: string) => createHash('sha256').update(secret).digest().subarray(0, 4).toString();
    let earlier: string | undefined;
    while (earlier === undefined) {
      const rotated = await rotate(client, token.id, HOUR / SECOND);
      earlier = secrets.find((secret) => startOf(secret) === startOf(rotated.plaintext));
      secrets.push(rotated.plaintext);
    }
    service.clock.advance(MINUTE);
    expectCode('valid', await verify(client, earlier));
    service.clock.advance(SECOND);
    expectCode('valid', await verify(client, secrets.at(-1) ?? ''));
    await service.restart();
    expect(await get(service.as(keeper), token.id)).toMatchObject({
      lastUsedAt: '2030-06-15T12:01:01.000Z',
      previousSecret: { lastUsedAt: '2030-06-15T12:01:00.000Z' },
    });
  });
});

describe('bad input is 422', () => {
  const shared = shareService();
  const problem = (loc: (string | number)[], type: string, msg: unknown = ANY_STRING) => ({
    loc: loc.map(String),
    msg,
    type,
  });
  const bodies: [string, unknown, unknown[]][] = [
    ['no token', {}, [problem(['token'], 'missing')]],
    ['a null token', { token: null }, [problem(['token'], 'string_type')]],
    ['a number', { token: 1 }, [problem(['token'], 'string_type')]],
    ['an object', { token: { token: 'a' } }, [problem(['token'], 'string_type')]],
    ['a list of tokens', { token: ['a'] }, [problem(['token'], 'string_type')]],
    ['4097 characters', { token: 'a'.repeat(4_097) }, [problem(['token'], 'string_too_long', matching(/4096/))]],
    ['a scope outside of a list', { token: 'a', scopes: 'read' }, [problem(['scopes'], 'list_type')]],
    ['null for scopes', { token: 'a', scopes: null }, [problem(['scopes'], 'list_type')]],
    ['an empty scope', { token: 'a', scopes: [''] }, [problem(['scopes', 0], 'string_too_short')]],
    ['a scope of 101', { token: 'a', scopes: ['a'.repeat(101)] }, [problem(['scopes', 0], 'string_too_long')]],
    ['two scopes in one', { token: 'a', scopes: ['b', 'c d'] }, [problem(['scopes', 1], 'string_pattern_mismatch')]],
    ['a number for a scope', { token: 'a', scopes: [1] }, [problem(['scopes', 0], 'string_type')]],
    ['a scope twice', { token: 'a', scopes: ['b', 'b'] }, [problem(['scopes'], 'value_error')]],
    [
      '65 scopes',
      { token: 'a', scopes: Array.from({ length: 65 }, (_, i) => `s${String(i)}`) },
      [problem(['scopes'], 'too_long', matching(/64/))],
    ],
    ['a misspelt member', { token: 'a', scope: ['b'] }, [problem(['scope'], 'extra_forbidden')]],
    ['no object', 'lk_pat', [problem([], 'object_type')]],
  ];

  test.each(bodies)('%s', async (_, json, problems) => {
    const { service, admin } = await shared();
    const at = (...place: string[]) =>
      (problems as { loc: string[] }[]).map((each) => ({ ...each, loc: ['body', ...place, ...each.loc] }));
    await expectRefusal(service, () => send(service, VERIFY, { token: admin.token, json }), {
      status: 422,
      body: { detail: at() },
    });
    const batch = { tokens: [{ token: 'b' }, json] };
    await expectRefusal(service, () => send(service, VERIFY_BATCH, { token: admin.token, json: batch }), {
      status: 422,
      body: { detail: at('tokens', '1') },
    });
  });

  test.each([
    ['no tokens', {}, problem(['body', 'tokens'], 'missing')],
    ['none of them', { tokens: [] }, problem(['body', 'tokens'], 'too_short', matching(/at least 1 item$/))],
    [
      '101 of them',
      { tokens: Array.from({ length: 101 }, () => ({ token: 'a' })) },
      problem(['body', 'tokens'], 'too_long', matching(/at most 100 items$/)),
    ],
    ['plain texts', { tokens: ['a'] }, problem(['body', 'tokens', '0'], 'object_type')],
    ['one outside of a list', { tokens: { token: 'a' } }, problem(['body', 'tokens'], 'list_type')],
  ])('a batch with %s', async (_, json, expected) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, VERIFY_BATCH, { token: admin.token, json }), {
      status: 422,
      body: { detail: [expected] },
    });
  });

  test('a token in the query is refused, and neither answered nor logged', async () => {
    const { service, admin } = await shared();
    const { plaintext } = await create(admin.client);
    const parts = { token: admin.token, json: { token: UNKNOWN_TOKEN } };
    await expectRefusal(service, () => send(service, `${VERIFY}?token=${plaintext}`, parts), {
      status: 422,
      body: { detail: [problem(['query', 'token'], 'extra_forbidden')] },
      secrets: [plaintext],
    });
  });
});

describe('a batch', () => {
  const names = EXPECTED.map(([name]) => name);

  test('of all kinds of tokens is answered in their order, duplicates too', async () => {
    const { made } = await shared();
    const codes = new Map<string, string>(EXPECTED);
    const asked = [...names, ...names.toReversed(), ...names];
    const verdicts = await verifyAll(
      made.asker.client,
      asked.map((name) => made.tokens[name].plaintext),
    );
    expect(verdicts.map(seen)).toEqual(asked.map((name) => expectedOf(made.tokens[name], codes.get(name) ?? '')));
  });

  test('of 100 is answered', async () => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens['a token with one'];
    const json = { tokens: Array.from({ length: 100 }, () => ({ token: plaintext })) };
    const answer = await send(service, VERIFY_BATCH, { token: made.asker.token, json });
    expect((answer.body as { results: Verification[] }).results.map(({ code }) => code)).toEqual(
      json.tokens.map(() => 'valid'),
    );
    await expectNoSecret(service, answer, [plaintext.slice(13)]);
  });

  test('says of each token what verifying it alone says', async () => {
    const { made } = await shared();
    const { client } = made.asker;
    const plaintext = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom<PresentedName[]>(...names).map((name) => made.tokens[name].plaintext) },
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .string({ unit: fc.constantFrom(...ALPHABET), minLength: 30, maxLength: 30 })
        .map((random) => withChecksum(`lk_pat_${random}`)),
    );
    const question = fc.record(
      {
        token: plaintext,
        scopes: fc.uniqueArray(fc.constantFrom('a', 'tokens:read', 'users:admin'), { maxLength: 2 }),
      },
      { requiredKeys: ['token'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 40 }), async (questions) => {
        const alone = await Promise.all(questions.map(({ token, scopes }) => verify(client, token, scopes)));
        expect((await verifyAll(client, questions)).map(seen)).toEqual(alone.map(seen));
      }),
      { numRuns: 25 },
    );
  });

  test('is all of one moment', async () => {
    let now = Date.parse('2030-06-15T12:00:00.000Z');
    const service = await startService({ now: () => now++ });
    const { client } = await service.admin();
    const keeper = service.as((await create(client)).plaintext);
    const { plaintext, token } = await create(client, 1);
    const end = Date.parse(token.expiresAt ?? '');
    const verdicts = new Set<string>();
    for (const early of [80, 40, 20, 10, 5, 0]) {
      now = end - early;
      const codes = new Set((await verifyAll(keeper, Array<string>(100).fill(plaintext))).map(({ code }) => code));
      expect(codes.size).toBe(1);
      for (const code of codes) verdicts.add(code);
    }
    expect([...verdicts]).toEqual(['valid', 'expired']);
  });
});

describe('the database', () => {
  async function countingService(tokens: number) {
    const counting = createCountingDatabase();
    const service = await startService({ openDatabase: (path) => counting.open(path) });
    const { client } = await service.admin();
    const made = await Promise.all(Array.from({ length: tokens }, () => create(client)));
    const queriesOf = async (work: () => Promise<unknown>) => {
      const before = counting.queries();
      await work();
      return counting.queries() - before;
    };
    return { client, plaintexts: made.map(({ plaintext }) => plaintext), queriesOf };
  }
  /** Queries. */
  const AUTHENTICATION = 1;

  test('is asked once about a token, and not at all about what cannot be one', async () => {
    const { client, plaintexts, queriesOf } = await countingService(1);
    const [good = ''] = plaintexts;
    expect(await queriesOf(() => verify(client, good))).toBe(AUTHENTICATION + 1);
    expect(await queriesOf(() => verify(client, UNKNOWN_TOKEN))).toBe(AUTHENTICATION + 1);
    const mistyped = good.slice(0, -1) + (good.endsWith('0') ? '1' : '0');
    for (const bad of ['', 'nonsense', mistyped, withChecksum(`xy_pat_${'0'.repeat(30)}`), good.toUpperCase()]) {
      expect(await queriesOf(() => verify(client, bad))).toBe(AUTHENTICATION);
    }
  });

  test('is asked once about a batch of 100', async () => {
    const { client, plaintexts, queriesOf } = await countingService(100);
    const queries = await queriesOf(async () => {
      expect((await verifyAll(client, plaintexts)).map(({ valid }) => valid)).not.toContain(false);
    });
    expect(queries).toBe(AUTHENTICATION + 1);
    expect(await queriesOf(() => verifyAll(client, plaintexts.slice(0, 7)))).toBe(AUTHENTICATION + 1);
    expect(await queriesOf(() => verifyAll(client, Array<string>(100).fill('nonsense')))).toBe(AUTHENTICATION);
  });

  test('that does not answer makes no verdict', async () => {
    const faulty = createFaultyDatabase();
    const service = await startService({ openDatabase: (path) => faulty.open(path) });
    const { client } = await service.admin();
    const { plaintext } = await create(client);
    const questions: [string, () => Promise<{ response: Response; error?: unknown }>][] = [
      ['verify', () => verifyAccessToken({ client, body: { token: plaintext } })],
      ['verify-batch', () => verifyAccessTokens({ client, body: { tokens: [{ token: plaintext }] } })],
    ];
    for (const [name, ask] of questions) {
      // The caller is authenticated before the disk fails.
      faulty.set('storage', AUTHENTICATION);
      const { response, error } = await ask();
      expect(response.status, name).toBe(503);
      expect(error).toEqual({ detail: ANY_STRING, code: 'service_unavailable' });
    }
    faulty.set('none');
    expectCode('valid', await verify(client, plaintext));
  });
});
