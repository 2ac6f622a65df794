import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  getAccessToken,
  getCurrentAccessToken,
  getMe,
  revokeCurrentAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, DAY, HOUR, startService } from '../../support/service.js';

const EXPIRES_AT = 'Latchkey-Token-Expires-At';

describe('the token in use', () => {
  test('shows itself, a personal access token as well as a session', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    const current = await getCurrentAccessToken({ client: service.as(plaintext) });
    expect(current.data).toEqual(token);
    const byId = await getAccessToken({ client, path: { token_id: token.id } });
    expect(current.response.headers.get('ETag')).toBe(byId.response.headers.get('ETag'));

    const me = await answered(getMe({ client }));
    const session = await answered(getCurrentAccessToken({ client }));
    expect(session).toMatchObject({ id: me.session.sessionId, tokenType: 'session' });
  });

  test('revokes itself and nothing else', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    const { response } = await revokeCurrentAccessToken({ client: service.as(plaintext) });
    expect(response.status).toBe(204);
    await expectRefusal(service, () => getMe({ client: service.as(plaintext) }), { status: 401 });
    expect((await answered(getAccessToken({ client, path: { token_id: token.id } }))).revokedAt).not.toBeNull();
  });

  test('is a path of its own: in another spelling it is an id, and a wrong one', async () => {
    const service = await startService();
    const { token } = await service.admin();
    for (const spelling of ['Current', '%63urrent', 'current%20']) {
      await expectRefusal(service, () => send(service, `DELETE /api/v1/access-tokens/${spelling}`, { token }), {
        status: 422,
      });
    }
    await expectRefusal(service, () => send(service, 'DELETE /api/v1/access-tokens/current/', { token }), {
      status: 404,
    });
  });
});

describe(EXPIRES_AT, () => {
  test('is on every answer to an authenticated request, whatever becomes of it', async () => {
    const service = await startService();
    const { token, client } = await service.admin();
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a', expiresInDays: 2 } }));
    const ends = { [token]: HOUR, [plaintext]: 2 * DAY };
    for (const [credential, lifetime] of Object.entries(ends)) {
      for (const line of [
        'GET /api/v1/auth/me',
        'GET /api/v1/auth/private_tokens/',
        'GET /api/v1/access-tokens?limit=0',
        'POST /api/v1/auth/private_tokens/',
        'DELETE /api/v1/access-tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b',
        'POST /oauth/introspect',
      ] as const) {
        const { headers } = await send(service, line, { token: credential });
        expect(headers[EXPIRES_AT.toLowerCase()], line).toBe(new Date(service.clock.now() + lifetime).toISOString());
      }
    }
  });

  test('is absent where the token never ends, and where there is no token', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a' } }));
    for (const answer of [
      await send(service, 'GET /api/v1/auth/me', { token: plaintext }),
      await send(service, 'GET /api/v1/auth/me'),
      await send(service, 'GET /healthz', { token: plaintext }),
    ]) {
      expect(answer.headers).not.toHaveProperty(EXPIRES_AT.toLowerCase());
    }
  });
});
