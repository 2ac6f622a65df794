import { type SharedMigration, sharedMigration } from '../migration.js';

/** The table of reports that nobody has acted on yet. */
export const leaks: SharedMigration = sharedMigration(({ id, integer, bytes, text }) => [
  `create table leak_reports (
    id ${id},
    received_at ${integer} not null,
    address ${text},
    user_agent ${text},
    request_id ${text},
    source ${text},
    url ${text},
    digests ${bytes} not null
  )`,
]);
