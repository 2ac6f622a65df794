import type { Introspection } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import { Plaintext } from '../tokens/plaintext.js';
import { revokeByPlaintext } from '../tokens/revoke.js';
import { type Verification, verifyTokens } from '../tokens/verify.js';

export const oauth = {
  async introspectToken(deps, { actor, body }) {
    const [verification] = await verifyTokens(deps, actor, [{ plaintext: new Plaintext(body.token) }]);
    return { body: toIntrospection(verification) };
  },

  async revokeOAuthToken(deps, { actor, body }) {
    await revokeByPlaintext(deps, actor, new Plaintext(body.token));
    return {};
  },
} satisfies Partial<Handlers>;

function toIntrospection({ reason, proven }: Verification): Introspection {
  if (reason !== null || proven === null) return { active: false };
  const { token, owner, expiresAt } = proven;
  return {
    active: true,
    token_type: 'Bearer',
    scope: token.scopes.join(' '),
    sub: String(owner.id),
    ...(owner.email !== '' && { username: owner.email }),
    owner_kind: owner.kind,
    ...(owner.externalId !== null && { external_id: owner.externalId }),
    owner_metadata: owner.metadata,
    jti: token.uuid,
    iat: toSeconds(token.createdAt),
    ...(expiresAt !== null && { exp: toSeconds(expiresAt) }),
  };
}

/** Whole seconds, rounded down, so that no expiry is stated too late. */
function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}
