import { type ColumnTypes, type SharedMigration, sharedMigration } from '../migration.js';

const statementsOf = ({ integer, text, idInIndex }: ColumnTypes) => [
  `alter table users add column contact_email ${text}`,
  `alter table users add column metadata ${text}`,
  `alter table users add column deleted_at ${integer}`,
  `create index users_by_kind on users (organization_id, kind${idInIndex}) where deleted_at is null`,
  'create index users_admins on users (organization_id) where is_admin = 1 and disabled_at is null',
];

/** What is known of external owners, and how users of one kind and administrators are found among a million of them. */
export const owners: SharedMigration = sharedMigration(statementsOf);
