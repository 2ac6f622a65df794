import { sql } from 'kysely';
import { dateNow } from '../../timers.js';
import { type ColumnTypes, type SharedMigration, sharedMigration } from '../migration.js';

const statementsOf = ({ id, integer, bytes, text }: ColumnTypes) => [
  `alter table organizations add column audit_since ${integer} not null default 0`,
  `create table audit_events (
    id ${id},
    uuid ${bytes} not null,
    organization_id ${integer} not null,
    seq ${integer},
    at ${integer} not null,
    action ${text} not null,
    actor_kind ${text} not null,
    actor_id ${integer},
    actor_token ${bytes},
    actor_label ${text},
    address ${text},
    user_agent ${text},
    request_id ${text},
    owner_id ${integer},
    target_kind ${text},
    target_uuid ${bytes},
    target_label ${text},
    target_prefix ${text},
    reason ${text},
    changes ${text},
    hash ${bytes}
  )`,
  'create index audit_events_by_time on audit_events (organization_id, at, id)',
  'create unique index audit_events_by_seq on audit_events (organization_id, seq)',
  'create index audit_events_by_token on audit_events (target_uuid, at, id) where target_uuid is not null',
  `create index audit_events_of_several on audit_events (owner_id, at, id) where target_kind = 'tokens'`,
  `create table audit_heads (
    organization_id ${integer} primary key,
    seq ${integer} not null,
    hash ${bytes} not null,
    pruned_seq ${integer} not null,
    pruned_hash ${bytes} not null
  )`,
];

/**
 * The tables of events, and of the ends of their chains. Nothing refers to the row of the organization: on PostgreSQL each change
 * would lock it.
 */
export const events: SharedMigration = sharedMigration(statementsOf, async (db) => {
  await sql`update organizations set audit_since = ${dateNow()}`.execute(db);
});
