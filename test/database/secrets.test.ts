import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getMe,
  introspectToken,
  listAccessTokens,
  listPrivateTokens,
  logIn,
  logOut,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  verifyAccessToken,
  verifyAccessTokens,
} from '../../generated/index.js';
import { isOnPostgres } from '../support/databases.js';
import { clientOf, latchkey, ownDatabase, type Serving, serve } from '../support/process.js';
import { answered } from '../support/service.js';
import { bytesOf as rowBytesOf } from '../support/store.js';

const PASSWORDS = {
  wrong: 'a wrong password that someone tried',
  wrongForNobody: 'a password tried for nobody',
  added: 'the password that was set from standard input',
  changed: 'the password that it was changed to',
};

test('no plaintext token, refresh token or password is in the database, its files or the log', async () => {
  const database = await ownDatabase();
  const env = { LATCHKEY_DATABASE: database, LATCHKEY_LOG_LEVEL: 'trace' };
  const serving = await serve(env);
  const [, generated = ''] = /with password (\S+)/.exec(serving.output.stdout) ?? [];
  expect(generated).toHaveLength(24);
  const passwords = [generated, ...Object.values(PASSWORDS)];
  const tokens = await useEverything(serving, database, generated);
  expect(tokens).toHaveLength(11);
  expect(new Set(tokens)).toHaveProperty('size', 11);

  const running = await bytesOf(database, serving);
  if (!isOnPostgres) expect(readFileSync(`${database}-wal`).length).toBeGreaterThan(0);
  serving.child.kill('SIGTERM');
  expect((await serving.finished).code).toBe(0);
  const stopped = await bytesOf(database, serving);

  for (const [state, bytes] of Object.entries({ running, stopped })) {
    // What must be there is found in the same bytes by the same search, or the search would prove nothing.
    for (const known of ['name of a private token', 'name of an access token', tokens.at(-1)?.slice(0, 12) ?? '']) {
      expect(bytes.files.includes(known), `${state}: ${known}`).toBe(true);
    }
    expect(bytes.log.includes('my-own-request-id'), state).toBe(true);
    for (const token of tokens) {
      // The first 12 characters are the documented prefix; what follows them is nobody else's to know.
      for (const part of [token, token.slice(12), token.slice(-12)]) {
        expect(bytes.files.includes(part), `${state}: ${token} in the files`).toBe(false);
        expect(bytes.log.includes(part), `${state}: ${token} in the log`).toBe(false);
      }
    }
    for (const password of passwords) {
      expect(bytes.files.includes(password), `${state}: ${password} in the files`).toBe(false);
      expect(bytes.log.includes(password), `${state}: ${password} in the log`).toBe(false);
    }
  }
});

/** Logs in, creates, refreshes, fails and misplaces credentials in every way; gives all the plaintexts there were. */
async function useEverything({ url }: Serving, database: string, password: string): Promise<string[]> {
  const anonymous = clientOf(url);
  const username = 'admin@latchkey.local';
  const first = await answered(logIn({ client: anonymous, body: { username, password } }));
  const second = await answered(refreshSession({ client: anonymous, body: { refresh_token: first.refresh_token } }));
  const client = clientOf(url, second.access_token);

  const access = await answered(createAccessToken({ client, body: { name: 'name of an access token' } }));
  const expiration_time = new Date(Date.now() + 3_600_000).toISOString();
  const personal = await answered(
    createPrivateToken({ client, body: { name: 'name of a private token', expiration_time } }),
  );
  for (const token of [access.plaintext, personal.data]) {
    const ways: Record<string, string>[] = [
      { Authorization: `Bearer ${token}`, 'X-Request-Id': 'my-own-request-id' },
      { 'X-API-Key': token },
      { Cookie: `vai_token=${token}` },
      { Authorization: `Basic ${token}` },
      { Authorization: `Bearer ${token}`, 'X-API-Key': second.access_token },
      { Authorization: `Bearer ${token.slice(0, -1)}` },
    ];
    for (const headers of ways) await fetch(`${url}/api/v1/auth/me`, { headers });
    await fetch(`${url}/api/v1/access-tokens?access_token=${token}&cursor=${token}`);
    await fetch(`${url}/api/v1/access-tokens?${token}=1&limit=${token}`, { headers: { 'X-API-Key': token } });
    await fetch(`${url}/api/v1/access-tokens/${token}`, { headers: { 'X-API-Key': token } });
    await fetch(`${url}/${token}`);
    const misplaced = { [token]: token, access_token: token };
    await fetch(`${url}/api/v1/access-tokens`, {
      method: 'POST',
      headers: json(token),
      body: JSON.stringify(misplaced),
    });
    await fetch(`${url}/api/v1/access-tokens`, { method: 'POST', headers: json(token), body: `{"name": "${token}` });
  }
  await answered(listAccessTokens({ client }));
  await answered(listPrivateTokens({ client }));

  const once = { headers: { 'Idempotency-Key': 'an-idempotency-key' }, body: { gracePeriodSeconds: 1 } };
  const rotate = () => rotateAccessToken({ client, path: { token_id: access.token.id }, ...once });
  const rotated = await answered(rotate());
  await answered(rotate());
  const rotatedItself = await answered(rotateCurrentAccessToken({ client: clientOf(url, rotated.plaintext) }));
  for (const token of [access.plaintext, rotated.plaintext, rotatedItself.plaintext, first.refresh_token]) {
    await answered(verifyAccessToken({ client, body: { token } }));
    await answered(verifyAccessTokens({ client, body: { tokens: [{ token }, { token: `${token}x` }] } }));
    await answered(introspectToken({ client, body: { token } }));
    await getMe({ client: clientOf(url, token) });
    const basic = Buffer.from(`somebody:${token}`).toString('base64');
    for (const path of ['oauth/introspect', 'api/v1/auth/me']) {
      const body = path.startsWith('oauth') ? new URLSearchParams({ token, [token]: token }) : null;
      await fetch(`${url}/${path}?token=${token}`, {
        method: body === null ? 'GET' : 'POST',
        headers: { Authorization: `Basic ${basic}` },
        body,
      });
    }
  }

  for (const body of [
    { username, password: PASSWORDS.wrong },
    { username: 'nobody@example.org', password: PASSWORDS.wrongForNobody },
    { username: PASSWORDS.wrong, password },
  ]) {
    expect((await logIn({ client: anonymous, body })).data).toBeUndefined();
  }
  await fetch(`${url}/api/v1/auth/login/`, { method: 'POST', headers: json(), body: `{"password": "${password}"` });
  await fetch(`${url}/api/v1/auth/login/?password=${password}`, { method: 'POST', headers: json(), body: '{}' });

  const commands: [string, string[]][] = [
    [PASSWORDS.added, ['users', 'add', 'alice@example.org']],
    [PASSWORDS.changed, ['users', 'set-password', 'alice@example.org']],
  ];
  for (const [input, command] of commands) {
    const { code } = await latchkey([...command, '--password-stdin', '--database', database], { input });
    expect(code).toBe(0);
  }

  // A reused refresh token is an event that the log tells of, and a likely place for the token itself.
  const third = await answered(logIn({ client: anonymous, body: { username, password } }));
  const fourth = await answered(refreshSession({ client: anonymous, body: { refresh_token: third.refresh_token } }));
  await refreshSession({ client: anonymous, body: { refresh_token: third.refresh_token } });
  await getMe({ client: clientOf(url, fourth.access_token) });
  const fifth = await answered(
    logIn({ client: anonymous, body: { username: 'alice@example.org', password: PASSWORDS.changed } }),
  );
  await logOut({ client: clientOf(url, fifth.access_token) });
  await revokeAccessToken({ client, path: { token_id: access.token.id } });
  return [
    access.plaintext,
    personal.data,
    ...[first, second, third, fourth, fifth].map((session) => session.access_token),
    first.refresh_token,
    second.refresh_token,
    rotated.plaintext,
    rotatedItself.plaintext,
  ];
}

function json(token?: string): Record<string, string> {
  return { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
}

async function bytesOf(database: string, { output }: Serving): Promise<{ files: Buffer; log: Buffer }> {
  const log = Buffer.from(output.stderr);
  if (isOnPostgres) return { files: await rowBytesOf({ database }), log };
  const files = [database, `${database}-wal`, `${database}-shm`].filter((path) => existsSync(path));
  return { files: Buffer.concat(files.map((path) => readFileSync(path))), log };
}
