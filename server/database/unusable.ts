/** The database cannot be used. The message tells the operator why. */
export class UnusableDatabase extends Error {
  override name = 'UnusableDatabase';
}

/** The error for a database of an earlier version that this process must not migrate. */
export function needsMigration(database: string): UnusableDatabase {
  return new UnusableDatabase(`database ${database} is of an earlier version or new: run latchkey migrate`);
}
