import type { AccessToken, TokenOwner, VerificationCode } from '../../generated/types.gen.js';
import { LatchkeyError } from '../errors.js';

/** What the service says of a token. It is shared by all who ask at the same time, and therefore frozen. */
export type Verdict =
  | { readonly valid: true; readonly code: 'valid'; readonly token: AccessToken; readonly owner: TokenOwner }
  | {
      readonly valid: false;
      readonly code: Exclude<VerificationCode, 'valid'>;
      /** The token where its secret is proven, such as one that is revoked; else null. */
      readonly token: AccessToken | null;
      readonly owner: TokenOwner | null;
    };

/** The verdict on what cannot be a token. */
export const MALFORMED: Verdict = Object.freeze({ valid: false, code: 'malformed', token: null, owner: null });

/** The verdict in the service's answer. Throws where it is none, which must not look like one of any kind. */
export function toVerdict(value: unknown): Verdict {
  const { valid, code, token, owner } = (isRecord(value) ? value : {}) as Partial<Verdict>;
  const proven = isRecord(token) && isRecord(owner);
  if (typeof code !== 'string' || valid !== (code === 'valid') || (valid && !proven)) {
    throw new LatchkeyError({
      code: 'unexpected_answer',
      status: 200,
      message: 'An answer that the contract does not have: no verdict on a token.',
    });
  }
  return frozen({ valid, code, token: token ?? null, owner: owner ?? null }) as Verdict;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function frozen(value: object): object {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) frozen(member as object);
  return Object.freeze(value);
}
