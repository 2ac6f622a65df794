import { type ColumnTypes, type SharedMigration, sharedMigration } from '../migration.js';

const statementsOf = ({ id, integer, bytes, text }: ColumnTypes) => [
  `create table secret_keys (
    id ${integer} primary key,
    digest ${bytes} not null,
    created_at ${integer} not null
  )`,
  `create table webhooks (
    id ${id},
    uuid ${bytes} not null,
    organization_id ${integer} not null references organizations (id),
    url ${text} not null,
    description ${text},
    event_types ${text},
    secret ${bytes} not null,
    previous_secret ${bytes},
    previous_valid_until ${integer},
    created_at ${integer} not null,
    disabled_at ${integer},
    disabled_reason ${text},
    last_success_at ${integer},
    last_failure_at ${integer},
    after_id ${integer} not null,
    after_seq ${integer} not null,
    claimed_until ${integer} not null default 0,
    claimed_by ${bytes}
  )`,
  'create unique index webhooks_by_uuid on webhooks (uuid)',
  'create index webhooks_by_organization on webhooks (organization_id, id)',
  `create table webhook_deliveries (
    id ${id},
    uuid ${bytes} not null,
    webhook_id ${integer} not null references webhooks (id),
    event_uuid ${bytes},
    seq ${integer},
    event_type ${text} not null,
    payload ${text} not null,
    status ${text} not null,
    created_at ${integer} not null,
    begun_at ${integer} not null,
    due_at ${integer},
    attempts ${integer} not null,
    retries ${integer} not null,
    last_attempt_at ${integer},
    last_status ${integer},
    last_error ${text}
  )`,
  'create unique index webhook_deliveries_by_uuid on webhook_deliveries (uuid)',
  'create unique index webhook_deliveries_by_seq on webhook_deliveries (webhook_id, seq)',
  'create index webhook_deliveries_by_status on webhook_deliveries (webhook_id, status, id)',
  'create index webhook_deliveries_of_webhook on webhook_deliveries (webhook_id, id)',
  'create index webhook_deliveries_due on webhook_deliveries (webhook_id, due_at, id) where due_at is not null',
  'create index webhook_deliveries_by_time on webhook_deliveries (created_at)',
];

/** The tables of webhooks, of their deliveries, and of the key with which their secrets are encrypted. */
export const webhooks: SharedMigration = sharedMigration(statementsOf);
