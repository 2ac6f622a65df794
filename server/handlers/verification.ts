import type { VerificationCode, Verification as WireVerification } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import { Plaintext } from '../tokens/plaintext.js';
import { type InvalidReason, type Verification, verifyTokens } from '../tokens/verify.js';
import { toWireToken } from './wire-token.js';

export const verification = {
  async verifyAccessToken(deps, { actor, body: { token, scopes } }) {
    const [verification] = await verifyTokens(deps, actor, [{ plaintext: new Plaintext(token), scopes }]);
    return { body: toWire(verification) };
  },

  async verifyAccessTokens(deps, { actor, body }) {
    const verifications = await verifyTokens(
      deps,
      actor,
      body.tokens.map(({ token, scopes }) => ({ plaintext: new Plaintext(token), scopes })),
    );
    return { body: { results: verifications.map(toWire) } };
  },
} satisfies Partial<Handlers>;

/** The contract's codes. An ended earlier secret is `expired`: other APIs need no more detail. */
const CODES: Record<InvalidReason, VerificationCode> = {
  malformed: 'malformed',
  unknown: 'unknown',
  revoked: 'revoked',
  secret_ended: 'expired',
  expired: 'expired',
  disabled: 'disabled',
  owner_disabled: 'owner_disabled',
  insufficient_scope: 'insufficient_scope',
};

function toWire({ reason, proven }: Verification): WireVerification {
  const owner = proven && {
    id: proven.owner.id,
    kind: proven.owner.kind,
    externalId: proven.owner.externalId,
    email: proven.owner.email || null,
    fullName: proven.owner.fullName,
    metadata: proven.owner.metadata,
    organizationId: proven.owner.organizationUuid,
  };
  return {
    valid: reason === null,
    code: reason === null ? 'valid' : CODES[reason],
    // An earlier secret expires before its token; the answer states the secret's expiry.
    token: proven && toWireToken({ ...proven.token, expiresAt: proven.expiresAt }),
    owner,
  };
}
