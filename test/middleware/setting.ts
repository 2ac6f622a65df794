import { createVerifier, type LatchkeyError, type Refusal, type Verifier } from '../../client/middleware/index.js';
import type { VerifierOptions } from '../../client/middleware/options.js';
import type { TestingServer } from '../../server/index.js';
import { plaintextOf } from '../support/local-server.js';

const SEED = {
  users: [
    {
      email: 'ada@example.org',
      tokens: [
        { name: 'good', plaintext: 'good', metadata: { team: 'platform' }, scopes: ['invoices:read', 'tokens:read'] },
        { name: 'other', plaintext: 'other', scopes: ['invoices', 'invoices:read:all', 'tokens:verify'] },
        { name: 'short', plaintext: 'short', expiresAt: '2030-01-02T00:00:00Z' },
        { name: 'revoked', plaintext: 'revoked', revokedAt: '2029-01-01T00:00:00Z' },
        { name: 'disabled', plaintext: 'disabled', disabled: true },
      ],
    },
    { email: 'bob@example.org', disabled: true, tokens: [{ name: 'bob', plaintext: 'bob' }] },
    { email: 'api@example.org', tokens: [{ name: 'verifier', plaintext: 'verifier', scopes: ['tokens:verify'] }] },
  ],
};

/** A service whose clock stands, with tokens for every verdict. */
export const SERVICE = { checkResponses: true, testing: { seed: SEED, frozenAt: '2030-01-01T00:00:00Z' } };

/** A verifier that asks a service, and what it has told. */
export interface Setting {
  service: TestingServer;
  verifier: Verifier;
  refusals: Refusal[];
  errors: LatchkeyError[];
  /** The plaintext of a seeded token. */
  plaintext(name: string): string;
  /** Of each request with questions that the service was sent, how many tokens it was about. */
  asked(): number[];
  /** Resolves when the revocation is acknowledged. */
  revoke(name: string): Promise<void>;
}

export function createSetting(service: TestingServer, options: Partial<VerifierOptions> = {}): Setting {
  const plaintext = (name: string) => plaintextOf(service, name);
  const refusals: Refusal[] = [];
  const errors: LatchkeyError[] = [];
  const verifier = createVerifier({
    baseUrl: service.url,
    token: plaintext('verifier'),
    onRefusal: (refusal) => refusals.push(refusal),
    onError: (error) => errors.push(error),
    ...options,
  });
  return {
    service,
    verifier,
    refusals,
    errors,
    plaintext,
    asked: () =>
      service.requests
        .all()
        .filter(({ operationId }) => operationId?.startsWith('verifyAccessToken'))
        .map(({ body }) => (body as { tokens?: unknown[] } | null)?.tokens?.length ?? 1),
    async revoke(name) {
      const id = service.users.flatMap(({ tokens }) => tokens).find((token) => token.name === name)?.id ?? '';
      await service.client('ada@example.org').revokeAccessToken({ path: { token_id: id } });
    },
  };
}
