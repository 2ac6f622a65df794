export type { AccessToken, TokenOwner, VerificationCode } from '../../generated/types.gen.js';
export { LatchkeyError } from '../errors.js';
export type { GuardOptions, VerifierOptions } from './options.js';
export type { FormatRefusal, Refusal, RefusalAnswer, RefusalBody, RefusalReason } from './refusal.js';
export type { AuthMethod, GuardedRequest } from './request.js';
export type { Verdict } from './verdict.js';
export { type Auth, createVerifier, type Decision, type Guard, type Verifier, type VerifyOptions } from './verifier.js';
