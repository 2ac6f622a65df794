import type { Selectable } from 'kysely';
import { type DisabledReason, type EventAction, hexOf, type Queries } from '../database/index.js';
import type { Schema } from '../database/schema.js';
import { toUuid } from '../uuid.js';

/** A URL that gets events. */
export interface Webhook {
  id: number;
  uuid: string;
  organizationId: number;
  url: string;
  description: string;
  /** The types of events that it gets; null for all. */
  eventTypes: EventAction[] | null;
  createdAt: number;
  disabledAt: number | null;
  disabledReason: DisabledReason | null;
  lastSuccessAt: number | null;
  lastFailureAt: number | null;
  /** When the former secret stops signing; null if it does not sign. */
  previousValidUntil: number | null;
}

const COLUMNS = [
  'id',
  'organization_id',
  'url',
  'description',
  'event_types',
  'created_at',
  'disabled_at',
  'disabled_reason',
  'last_success_at',
  'last_failure_at',
  'previous_valid_until',
] as const;

type Row = Pick<Selectable<Schema['webhooks']>, (typeof COLUMNS)[number]> & { uuid: string };

/** Selects the columns of a `Webhook`. */
export function selectWebhooks(queries: Queries) {
  return queries.selectFrom('webhooks').select(COLUMNS).select(hexOf('uuid').as('uuid'));
}

/** A webhook as it is at the instant `at`. */
export function toWebhook(row: Row, at: number): Webhook {
  const { previous_valid_until: until } = row;
  return {
    id: row.id,
    uuid: toUuid(row.uuid),
    organizationId: row.organization_id,
    url: row.url,
    description: row.description ?? '',
    eventTypes: toEventTypes(row.event_types),
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
    disabledReason: row.disabled_reason,
    lastSuccessAt: row.last_success_at,
    lastFailureAt: row.last_failure_at,
    previousValidUntil: until === null || until <= at ? null : until,
  };
}

/** Splits the text in which a row stores types of events. */
export function toEventTypes(text: string | null): EventAction[] | null {
  return text === null ? null : (text.split(' ') as EventAction[]);
}
