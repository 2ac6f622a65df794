import type { AccessToken, TokenOwner, VerificationCode } from '../../generated/types.gen.js';
import { LatchkeyError } from '../errors.js';

/** The service's verdict on a token. It is frozen, because concurrent calls share it. */
export type Verdict =
  | { readonly valid: true; readonly code: 'valid'; readonly token: AccessToken; readonly owner: TokenOwner }
  | {
      readonly valid: false;
      readonly code: Exclude<VerificationCode, 'valid'>;
      /** The token, if the request had its secret, such as for a revoked token; null otherwise. */
      readonly token: AccessToken | null;
      readonly owner: TokenOwner | null;
    };

/** The verdict on a text that does not have the form of a token. */
export const MALFORMED: Verdict = Object.freeze({ valid: false, code: 'malformed', token: null, owner: null });

/** Reads a verdict from the service's answer. Throws `unexpected_answer` if it is not one. */
export function toVerdict(value: unknown): Verdict {
  const { valid, code, token, owner } = (isRecord(value) ? value : {}) as Partial<Verdict>;
  const proven = isRecord(token) && isRecord(owner);
  if (typeof code !== 'string' || valid !== (code === 'valid') || (valid && !proven)) {
    throw new LatchkeyError({
      code: 'unexpected_answer',
      status: 200,
      message: 'Unexpected answer, not in the contract: no verdict on a token.',
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
