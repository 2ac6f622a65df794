export type * from '../generated/types.gen.js';
export type { ActingLatchkey, NamedOwner } from './acting.js';
export {
  type InputProblem,
  type InvalidInputError,
  LatchkeyError,
  type LatchkeyErrorCode,
  type LatchkeyErrorParts,
  type NoAnswerError,
  type RefusalError,
  type UnexpectedAnswerError,
} from './errors.js';
export type { FollowOptions } from './events.js';
export type { Fetch } from './exchange.js';
export { createLatchkey, type Latchkey, type LatchkeyExtras } from './latchkey.js';
export type { Answer, Call, CallOptions, DataOf, InputOf, Operation, OperationId } from './operations.js';
export type { TokenOption } from './session.js';
export type { LatchkeyOptions } from './transport.js';
export {
  type RawWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  WebhookError,
  type WebhookErrorCode,
} from './webhooks.js';
