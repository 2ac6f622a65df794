import { onTestFinished } from 'vitest';
import { startServer, type TestingServer, type TestingServerOptions } from '../../server/index.js';

export const SEED = {
  users: [
    {
      email: 'ada@example.org',
      password: 'correct horse',
      fullName: 'Ada',
      isAdmin: true,
      tokens: [
        { name: 'deploy bot', plaintext: 'deploy' },
        { name: 'old', plaintext: 'old', createdAt: '2020-01-01T00:00:00Z', expiresAt: '2021-01-01T00:00:00Z' },
        { name: 'gone', plaintext: 'gone', revokedAt: '2026-01-01T00:00:00Z' },
      ],
    },
    { email: 'bob@example.org', tokens: [{ name: "bob's", plaintext: 'bob' }] },
    {
      email: 'eve@example.org',
      password: 'eve has a password',
      disabled: true,
      tokens: [{ name: 'e', plaintext: 'eve' }],
    },
  ],
};

/** Starts a local server with `SEED` until the test ends. The server validates its answers against the contract. */
export async function startLocal({ testing, ...options }: Partial<TestingServerOptions> = {}): Promise<TestingServer> {
  const server = await startServer({ checkResponses: true, ...options, testing: { seed: SEED, ...testing } });
  onTestFinished(() => server.close());
  return server;
}

/** The plaintext of the seed's token with this name. */
export function plaintextOf({ users }: TestingServer, name: string): string {
  const token = users.flatMap(({ tokens }) => tokens).find((candidate) => candidate.name === name);
  if (token === undefined) throw new Error(`no token ${name} in the seed`);
  return token.plaintext;
}
