/** The database cannot be used. The message tells the operator why. */
export class DatabaseRefusal extends Error {
  override name = 'DatabaseRefusal';
}

/** For a database of an earlier version, where this process must not bring it up to date. */
export function needsMigration(database: string): DatabaseRefusal {
  return new DatabaseRefusal(`database ${database} is of an earlier version or new: run latchkey migrate`);
}
