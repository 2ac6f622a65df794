import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Verification, verifyAccessToken, verifyAccessTokens } from '../../../generated/index.js';
import { createCountingDatabase } from '../../support/counting-database.js';
import { createFaultyDatabase } from '../../support/faulty-database.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { UNKNOWN_TOKEN, withChecksum } from '../../support/plaintext.js';
import { type PresentedName, presentTokens } from '../../support/presented.js';
import { expectNoSecret } from '../../support/refusal.js';
import { startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import {
  ALPHABET,
  create,
  EXPECTED,
  expectCode,
  expectedOf,
  seen,
  VERIFY_BATCH,
  verify,
  verifyAll,
} from '../../support/verifying.js';

const shared = shareService(presentTokens);

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
