import { expect } from 'vitest';
import type { AccessToken } from '../../client/index.js';
import { ADA, type CommandLine, startLoggedIn } from './command.js';
import { SEED } from './local-server.js';

export const PLAINTEXT = /^lk_pat_[0-9A-Za-z]{36}$/;
export const DAY = 86_400_000;

/**
 * A seed with tokens in every state, two names that several tokens share, and similar ids. An id begins with its time: these
 * are of 2022, so that no new token's id begins as they do.
 */
export const MANY = {
  users: [
    {
      ...SEED.users[0],
      email: ADA.email,
      tokens: [
        { id: '01820000-0000-7000-8000-00000000000a', name: 'ci', plaintext: 'ci1', createdAt: '-3d', scopes: ['x:1'] },
        {
          id: '01820000-0000-7000-8000-00000000000b',
          name: 'ci',
          plaintext: 'ci2',
          createdAt: '-2d',
          revokedAt: '-1d',
        },
        {
          id: '01821111-0000-7000-8000-00000000000c',
          name: 'twin',
          plaintext: 'twin1',
          createdAt: '-20d',
          expiresAt: '+3d',
        },
        {
          id: '01822222-0000-7000-8000-00000000000d',
          name: 'twin',
          plaintext: 'twin2',
          createdAt: '-10d',
          disabled: true,
        },
        {
          id: '01823333-0000-7000-8000-00000000000e',
          name: 'old',
          plaintext: 'old',
          createdAt: '-90d',
          expiresAt: '-5d',
        },
      ],
    },
    { email: 'bob@example.org', tokens: [{ name: "bob's", plaintext: 'bob', createdAt: '-1d' }] },
  ],
};

export function startMany(): Promise<CommandLine> {
  return startLoggedIn({ testing: { seed: MANY } });
}

export async function json<T>(line: CommandLine, args: string[]): Promise<T> {
  const { code, stdout, stderr } = await line.run([...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

/** The cells of lines that tabs separate. */
export function rowsOf(stdout: string): string[][] {
  return stdout === ''
    ? []
    : stdout
        .trimEnd()
        .split('\n')
        .map((row) => row.split('\t'));
}

/** The token's record as the service returns it to `ADA`. */
export async function tokenOf({ server }: CommandLine, id: string): Promise<AccessToken> {
  return await server.client(ADA.email).getAccessToken({ path: { token_id: id } });
}

export async function listed({ server }: CommandLine): Promise<AccessToken[]> {
  return (await server.client(ADA.email).listAccessTokens({ query: { includeRevoked: true, tokenType: 'pat' } })).items;
}
