import { describe, expect, test } from 'vitest';
import { getMe } from '../../../generated/index.js';
import { type Answer, send } from '../../support/http.js';
import { startService } from '../../support/service.js';

// A session that a browser keeps as its cookie, and that rotates itself.

const CURRENT = 'POST /api/v1/access-tokens/current/rotate';
const GRACE = { gracePeriodSeconds: 60 };

async function setUp(options = {}) {
  const service = await startService(options);
  const person = await service.admin();
  const me = await getMe({ client: person.client });
  const id = me.data?.session.sessionId ?? '';
  const byCookie = { Cookie: `vai_token=${person.token}`, 'Sec-Fetch-Site': 'same-origin' };
  return { service, person, id, byCookie };
}

function plaintextOf({ body }: Answer): string {
  return (body as { plaintext: string }).plaintext;
}

describe('rotating a session by its cookie', () => {
  test.each(['current', 'by its id', 'by its id in capitals', 'with the same bearer token'])(
    'sets the new cookie: %s',
    async (way) => {
      const { service, person, id, byCookie } = await setUp();
      service.clock.advance(10 * 60_000 + 1);
      const key = way.includes('capitals') ? id.toUpperCase() : id;
      const line = way.includes('id') ? (`POST /api/v1/access-tokens/${key}/rotate` as const) : CURRENT;
      const headers = way.includes('bearer') ? { ...byCookie, Authorization: `Bearer ${person.token}` } : byCookie;
      const answer = await send(service, line, { json: {}, headers });
      // What is left of the session's hour.
      const cookie = `vai_token=${plaintextOf(answer)}; Path=/; Max-Age=2999; HttpOnly; SameSite=Lax`;
      expect(answer.headers['set-cookie']).toEqual([cookie]);
      const next = await send(service, 'GET /api/v1/auth/me', { headers: { Cookie: cookie.split(';')[0] ?? '' } });
      expect(next.status).toBe(200);
      expect((await send(service, 'GET /api/v1/auth/me', { headers: byCookie })).status).toBe(401);
    },
  );

  test('sets it again for a repetition', async () => {
    const { service, byCookie } = await setUp();
    const headers = { ...byCookie, 'Idempotency-Key': 'a-key-that-nobody-guesses' };
    const first = await send(service, CURRENT, { json: {}, headers });
    const again = await send(service, CURRENT, { json: {}, headers });
    expect(again.text).toBe(first.text);
    expect(again.headers['set-cookie']).toEqual(first.headers['set-cookie']);
  });

  test('is Secure behind https', async () => {
    const { service, byCookie } = await setUp({ publicUrl: 'https://tokens.example.org' });
    const answer = await send(service, CURRENT, { json: GRACE, headers: byCookie });
    expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
  });
});

test.each(['a bearer token', 'another session', 'a personal access token'])('no cookie is set by %s', async (which) => {
  const { service, person, byCookie } = await setUp();
  const other = await service.admin();
  const { body } = await send(service, 'POST /api/v1/access-tokens', { token: person.token, json: { name: 'a' } });
  const { plaintext, token } = body as { plaintext: string; token: { id: string } };
  const otherId = (await getMe({ client: other.client })).data?.session.sessionId ?? '';
  const answers = {
    'a bearer token': () => send(service, CURRENT, { token: person.token, json: GRACE }),
    'another session': () =>
      send(service, `POST /api/v1/access-tokens/${otherId}/rotate`, { json: GRACE, headers: byCookie }),
    'a personal access token': () => send(service, CURRENT, { token: plaintext, json: GRACE }),
  };
  const answer = await answers[which as keyof typeof answers]();
  expect(answer.status).toBe(200);
  expect(answer.headers).not.toHaveProperty('set-cookie');
  // Nor for a token of the session's owner that the session rotates.
  const by = await send(service, `POST /api/v1/access-tokens/${token.id}/rotate`, { json: GRACE, headers: byCookie });
  expect([by.status, by.headers['set-cookie']]).toEqual([200, undefined]);
});
