import type { Generated } from 'kysely';
import type { DeliveryError, DeliveryStatus, DisabledReason } from './closed-lists.js';

/** The key with which this database's secrets are encrypted. The table has at most one row, with the id 1. */
export interface SecretKeyTable {
  id: number;
  /** A digest of the key. The key itself is in a file. */
  digest: Uint8Array;
  created_at: number;
}

/** A URL that gets events. */
export interface WebhookTable {
  id: Generated<number>;
  uuid: Uint8Array;
  organization_id: number;
  url: string;
  /** Null for no description. */
  description: string | null;
  /** The types of events that it gets, separated by spaces; null for all. */
  event_types: string | null;
  /** The secret that signs deliveries, encrypted. */
  secret: Uint8Array;
  /** The secret before, which signs too until `previous_valid_until`; null if there is none. */
  previous_secret: Uint8Array | null;
  previous_valid_until: number | null;
  created_at: number;
  disabled_at: number | null;
  disabled_reason: DisabledReason | null;
  last_success_at: number | null;
  last_failure_at: number | null;
  /** The id of the last event from before the webhook was created or enabled. It gets no such event, however late that is linked. */
  after_id: number;
  /** The place in the chain of the last event for which deliveries were made. */
  after_seq: number;
  /** The instant until which the process `claimed_by` sends the deliveries of this webhook; then another one may. */
  claimed_until: Generated<number>;
  claimed_by: Uint8Array | null;
}

/** An event, or a test, that is sent to a webhook. */
export interface WebhookDeliveryTable {
  id: Generated<number>;
  uuid: Uint8Array;
  webhook_id: number;
  /** Null for a test, as is `seq`. */
  event_uuid: Uint8Array | null;
  seq: number | null;
  event_type: string;
  /** The body that is sent, at each attempt the same. */
  payload: string;
  status: DeliveryStatus;
  created_at: number;
  /** When the present series of attempts began: at the creation, or when an administrator last sent it again. */
  begun_at: number;
  /** When the next attempt is due; null if there will be none. */
  due_at: number | null;
  /** All attempts so far. */
  attempts: number;
  /** Failed attempts since `begun_at`. */
  retries: number;
  last_attempt_at: number | null;
  /** The HTTP status of the last answer; null if the last attempt got none. */
  last_status: number | null;
  last_error: DeliveryError | null;
}
