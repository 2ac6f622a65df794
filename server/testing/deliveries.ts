import { toInstant } from '../instants.js';
import type { Now } from '../timers.js';
import { createSend, type Outcome, type Send } from '../webhooks/attempt.js';
import type { WebhookOptions } from '../webhooks/webhooks.js';

/** A request to a webhook. */
export interface RecordedDelivery {
  /** Counts from 1 on. */
  number: number;
  /** When it was sent, by the server's clock: RFC 3339 in UTC with milliseconds. */
  sentAt: string;
  url: string;
  /** `webhook-id`, `webhook-timestamp` and `webhook-signature`. */
  headers: Record<string, string>;
  /** The body as it was sent, which the signature covers. */
  body: string;
  /** The HTTP status of the answer; null if there was none. */
  status: number | null;
  /** The id of the fault that hit it; null for none. */
  fault: string | null;
}

export interface RecordedDeliveries {
  /**
   * The last 1000 requests to webhooks, oldest first. First sends what the clock and the requests so far have made due. Only URLs
   * of this machine are really sent to; all others count as answered with 204.
   */
  all(): Promise<RecordedDelivery[]>;
  clear(): void;
}

/** A fault that has hit a delivery. */
export interface DeliveryFault {
  id: string;
  /** What came of the delivery, which is not sent; undefined if it is to be sent. */
  outcome?: Outcome;
  /** Whether the receiver gets the delivery, and its answer is lost. */
  isAnswerLost: boolean;
}

export type BeforeDelivery = (url: string, signal: AbortSignal) => Promise<DeliveryFault | undefined>;

const MOST_DELIVERIES = 1_000;
/** What names of other machines resolve to. Nothing connects to this address. */
const ELSEWHERE = '1.1.1.1';

/** Records what a local server sends to webhooks. */
export function createRecordedDeliveries(now: Now, beforeDelivery: BeforeDelivery) {
  let deliveries: RecordedDelivery[] = [];
  let last = 0;
  const sendHere = createSend();
  const send: Send = async (target, address, message, signal) => {
    const isHere = address === '::1' || address.startsWith('127.');
    const sentAt = toInstant(now());
    const fault = await beforeDelivery(target.url.href, signal);
    const reached = async (): Promise<Outcome> =>
      isHere ? await sendHere(target, address, message, signal) : { error: null, status: 204, retryAfter: null };
    const outcome = fault?.outcome ?? (await reached());
    if (fault?.isAnswerLost === true) Object.assign(outcome, { error: 'connection', status: null, retryAfter: null });
    last += 1;
    const { body, headers } = message;
    const { status } = outcome;
    deliveries.push({
      number: last,
      sentAt,
      url: target.url.href,
      headers: { ...headers },
      body,
      status,
      fault: fault?.id ?? null,
    });
    if (deliveries.length > MOST_DELIVERIES) deliveries.shift();
    return outcome;
  };
  const options: WebhookOptions = {
    send,
    resolve: (host) => Promise.resolve([host === 'localhost' ? '127.0.0.1' : ELSEWHERE]),
    patience: 0,
  };
  return {
    options,
    all: () => deliveries.map((delivery) => structuredClone(delivery)),
    clear() {
      deliveries = [];
    },
    /** Forgets all requests, and numbers them from 1 again. */
    reset() {
      deliveries = [];
      last = 0;
    },
  };
}
