import { type ColumnTypes, type SharedMigration, sharedMigration } from '../migration.js';

const statementsOf = ({ integer }: ColumnTypes) => [
  `create table offboardings (
    user_id ${integer} primary key references users (id),
    to_id ${integer} references users (id),
    begun_at ${integer} not null,
    ended_at ${integer},
    before_at ${integer},
    before_id ${integer},
    sessions ${integer} not null,
    tokens ${integer} not null,
    cut ${integer} not null
  )`,
  'create index offboardings_under_way on offboardings (to_id) where ended_at is null',
];

/** The table of users who are offboarded, so that a later process can go on where one stopped. */
export const offboardings: SharedMigration = sharedMigration(statementsOf);
