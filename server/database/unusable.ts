/** The database cannot be used. The message tells the operator why. */
export class UnusableDatabase extends Error {
  override name = 'UnusableDatabase';
}

/** The error for a database that lacks migrations, which this process must not run. */
export function needsMigration(database: string): UnusableDatabase {
  return new UnusableDatabase(`database ${database} lacks migrations: run latchkey migrate`);
}
