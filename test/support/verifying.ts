import { expect } from 'vitest';
import {
  type AccessToken,
  createAccessToken,
  getAccessToken,
  rotateAccessToken,
  type Verification,
  type VerificationRequest,
  verifyAccessToken,
  verifyAccessTokens,
} from '../../generated/index.js';
import { without } from './matchers.js';
import { NOT_VALID, type Presented, VALID } from './presented.js';
import { answered, type Client } from './service.js';

export const VERIFY = 'POST /api/v1/access-tokens/verify';
export const VERIFY_BATCH = 'POST /api/v1/access-tokens/verify-batch';
export const ALPHABET = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

export const EXPECTED = [...VALID.map((name) => [name, 'valid'] as const), ...NOT_VALID];
export const UNPROVEN = new Set<string>(['malformed', 'unknown']);

export async function verify(client: Client, token: string, scopes?: string[]): Promise<Verification> {
  return await answered(verifyAccessToken({ client, body: { token, ...(scopes && { scopes }) } }));
}

export async function verifyAll(client: Client, tokens: (string | VerificationRequest)[]): Promise<Verification[]> {
  const body = { tokens: tokens.map((token) => (typeof token === 'string' ? { token } : token)) };
  return (await answered(verifyAccessTokens({ client, body }))).results;
}

export async function create(client: Client, expiresInDays: number | null = null) {
  return await answered(createAccessToken({ client, body: { name: 'deploy bot', expiresInDays } }));
}

export function get(client: Client, token_id: string) {
  return answered(getAccessToken({ client, path: { token_id } }));
}

export function rotate(client: Client, token_id: string, gracePeriodSeconds: number) {
  return answered(rotateAccessToken({ client, path: { token_id }, body: { gracePeriodSeconds } }));
}

/** A token's record but for its last use, which is written a moment later. */
export function unused(token: AccessToken | null): unknown {
  const { previousSecret } = token ?? {};
  return (
    token && {
      ...without(token, 'lastUsedAt'),
      previousSecret: previousSecret && without(previousSecret, 'lastUsedAt'),
    }
  );
}

/** What a verification says of a presented token. */
export function expectedOf({ token, owner }: Presented, code: string): unknown {
  return {
    valid: code === 'valid',
    code,
    token: unused(token),
    owner: owner && {
      id: owner.session.id,
      email: owner.email,
      fullName: `Name of ${owner.email}`,
      kind: 'person',
      externalId: null,
      metadata: {},
      organizationId: owner.session.company_id,
    },
  };
}

export function seen(verification: Verification): unknown {
  return { ...verification, token: unused(verification.token) };
}

export function expectCode(code: string, verification: Verification): void {
  expect(verification).toMatchObject({ code, valid: code === 'valid' });
  expect(verification.token === null).toBe(UNPROVEN.has(code));
  expect(verification.owner === null).toBe(UNPROVEN.has(code));
}
