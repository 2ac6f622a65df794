import { type ColumnTypes, type SharedMigration, sharedMigration } from '../migration.js';

const statementsOf = ({ integer, text }: ColumnTypes) => [
  `alter table users add column scopes ${text}`,
  `create table managers (
    service_id ${integer} not null references users (id),
    user_id ${integer} not null references users (id),
    created_at ${integer} not null,
    primary key (service_id, user_id)
  )`,
  'create index managers_by_user on managers (user_id, service_id)',
];

/** What limits the scopes of a service's tokens, and who manages a service. */
export const services: SharedMigration = sharedMigration(statementsOf);
