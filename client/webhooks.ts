import type { WebhookEvent } from '../generated/index.js';
import { dateNow } from './timers.js';

const PREFIX = 'whsec_';
/** Seconds by which the clocks of sender and receiver may differ, as Standard Webhooks recommends. */
const TOLERANCE = 300;

/**
 * Why a request is not a genuine delivery:
 *
 * - `missing_header`: one of `webhook-id`, `webhook-timestamp` and `webhook-signature` is missing or malformed.
 * - `timestamp_too_old`, `timestamp_too_new`: the request was not sent just now. It may be a repetition by a thief.
 * - `wrong_signature`: no signature is that of the body with one of the secrets.
 * - `invalid_body`: the body is no JSON, although it has a right signature.
 */
export type WebhookErrorCode =
  | 'missing_header'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'wrong_signature'
  | 'invalid_body';

/** Thrown by `verifyWebhook`. Answer 400 or 401, and use nothing of the request. */
export class WebhookError extends Error {
  override name = 'WebhookError';

  constructor(
    readonly code: WebhookErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A request as most frameworks show it. `body` must be the body as it was sent, before anything has parsed it. */
export interface RawWebhook {
  headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  body: string | Uint8Array;
}

export interface VerifyWebhookOptions {
  /** Seconds by which the request may be older or newer than now, 0 or more; 300 by default. */
  toleranceSeconds?: number;
  /** The clock, in milliseconds since 1970; `Date.now` by default. */
  now?: () => number;
}

/**
 * Verifies that a request is a delivery of the service (or of any other sender by Standard Webhooks 1.0.0) and returns its event.
 * `secret` is the `whsec_...` text that creating the webhook returned; pass several while a secret is changed.
 *
 * Rejects with `WebhookError` if the request is not genuine, and with a `TypeError` if a secret or the tolerance is malformed.
 */
export async function verifyWebhook(
  request: Request | RawWebhook,
  secret: string | readonly string[],
  { toleranceSeconds = TOLERANCE, now = dateNow }: VerifyWebhookOptions = {},
): Promise<WebhookEvent> {
  // Every comparison with NaN is false: an old request would pass.
  if (!(toleranceSeconds >= 0)) throw new TypeError('toleranceSeconds must be a number of 0 or more');
  const secrets = (typeof secret === 'string' ? [secret] : secret).map(keyBytes);
  const id = headerOf(request, 'webhook-id');
  const timestamp = headerOf(request, 'webhook-timestamp');
  const signatures = headerOf(request, 'webhook-signature').split(' ').flatMap(toSignature);
  if (!/^\d{1,12}$/.test(timestamp))
    throw new WebhookError('missing_header', 'webhook-timestamp must be seconds since 1970');
  const age = now() / 1_000 - Number(timestamp);
  if (age > toleranceSeconds) throw new WebhookError('timestamp_too_old', 'the request was sent too long ago');
  if (-age > toleranceSeconds) throw new WebhookError('timestamp_too_new', 'the request was sent in the future');

  const body = await bytesOf(request);
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  for (const bytes of secrets) {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const signature of signatures) {
      // `verify` compares in constant time.
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return eventIn(body);
    }
  }
  throw new WebhookError('wrong_signature', 'no signature is that of the body with the secret');
}

function keyBytes(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = decoded(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  if (bytes === undefined || bytes.length === 0)
    throw new TypeError('the secret of a webhook must be whsec_ and Base64');
  return bytes;
}

/** The bytes of a signature of version 1; none for another version, which this client does not know. */
function toSignature(text: string): Uint8Array<ArrayBuffer>[] {
  const bytes = text.startsWith('v1,') ? decoded(text.slice(3)) : undefined;
  return bytes === undefined ? [] : [bytes];
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function headerOf({ headers }: Request | RawWebhook, name: string): string {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  if (typeof value !== 'string' || value === '') throw new WebhookError('missing_header', `the request has no ${name}`);
  return value;
}

async function bytesOf(request: Request | RawWebhook): Promise<Uint8Array<ArrayBuffer>> {
  if ('arrayBuffer' in request) return new Uint8Array(await request.arrayBuffer());
  const { body } = request;
  return typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

function eventIn(body: Uint8Array): WebhookEvent {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as WebhookEvent;
  } catch {
    throw new WebhookError('invalid_body', 'the body is no JSON');
  }
}
