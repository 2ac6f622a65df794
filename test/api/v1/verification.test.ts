import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { revokeAccessToken, updateAccessToken } from '../../../generated/index.js';
import { openUsers } from '../../../server/index.js';
import { type RequestParts, send } from '../../support/http.js';
import { ANY_STRING, matching } from '../../support/matchers.js';
import { UNKNOWN_TOKEN, withChecksum } from '../../support/plaintext.js';
import { NOT_VALID, presentTokens, VALID } from '../../support/presented.js';
import { expectNoSecret, expectRefusal, logged } from '../../support/refusal.js';
import { answered, DAY, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import {
  ALPHABET,
  create,
  EXPECTED,
  expectCode,
  expectedOf,
  rotate,
  seen,
  UNPROVEN,
  VERIFY,
  VERIFY_BATCH,
  verify,
  verifyAll,
} from '../../support/verifying.js';

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
