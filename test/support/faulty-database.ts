import SqliteDriver from 'better-sqlite3';
import { type Database, openDatabase } from '../../server/database/index.js';

/** What every query meets from now on. */
export type Fault = 'none' | 'storage' | 'bug';

/** The real database behind a switch: the one double beside the clock. */
export function createFaultyDatabase(): { open(path: string): Promise<Database>; set(fault: Fault): void } {
  let fault: Fault = 'none';
  const meet = () => {
    if (fault === 'storage') throw new SqliteDriver.SqliteError('disk I/O error', 'SQLITE_IOERR');
    if (fault === 'bug') throw new TypeError('secret_detail is undefined');
  };
  return {
    async open(path) {
      const db = await openDatabase(path);
      const guarded =
        <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
        async (...args: Args) => {
          meet();
          return await call(...args);
        };
      return {
        get read() {
          meet();
          return db.read;
        },
        readPrepared: ((build, parameters) => {
          meet();
          return db.readPrepared(build, parameters);
        }) satisfies Database['readPrepared'],
        write: guarded(db.write.bind(db)) as Database['write'],
        ping: guarded(() => db.ping()),
        close: () => db.close(),
      };
    },
    set(next) {
      fault = next;
    },
  };
}
