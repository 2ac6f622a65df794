import { type ColumnTypes, type SharedMigration, sharedMigration } from '../migration.js';

const statementsOf = ({ id, integer, text, idInIndex }: ColumnTypes) => [
  // Sessions and tokens without an end are not in it, so that they cost nothing more.
  `create index access_tokens_by_end on access_tokens (expires_at${idInIndex})
    where type = 'pat' and revoked_at is null and expires_at is not null`,
  `create table outgoing_mails (
    id ${id},
    message_id ${text} not null,
    owner_id ${integer} not null,
    subject ${text} not null,
    text ${text} not null,
    tries ${integer} not null,
    created_at ${integer} not null,
    due_at ${integer} not null
  )`,
  'create index outgoing_mails_by_time on outgoing_mails (due_at)',
];

/** The index of tokens that expire, and the mails that wait. */
export const notices: SharedMigration = sharedMigration(statementsOf);
