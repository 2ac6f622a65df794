import { StorageFault } from '../../server/database/faults.js';
import { type Database, openDatabase } from '../../server/database/index.js';

/** How queries fail: not at all, by a storage fault, or by a bug in the service. */
export type Fault = 'none' | 'storage' | 'bug';

/** Creates a real database whose queries a test can make fail. */
export function createFaultyDatabase(): {
  open(path: string): Promise<Database>;
  /** Makes queries fail, after the next `spared` ones succeeded. */
  set(fault: Fault, spared?: number): void;
} {
  let fault: Fault = 'none';
  let waiting = 0;
  const meet = () => {
    if (waiting-- > 0) return;
    if (fault === 'storage') throw new StorageFault('disk I/O error');
    if (fault === 'bug') throw new TypeError('secret_detail is undefined');
  };
  return {
    async open(path) {
      const db = await openDatabase(path);
      return {
        get read() {
          meet();
          return db.read;
        },
        readTogether: (work) => {
          db.readTogether(work);
        },
        async write<T>(work: Parameters<typeof db.write<T>>[0]) {
          meet();
          return await db.write<T>(work);
        },
        async ping() {
          meet();
          await db.ping();
        },
        linksAtOnce: db.linksAtOnce,
        watch: db.watch,
        clock: () => db.clock(),
        close: () => db.close(),
      };
    },
    set(next, spared = 0) {
      fault = next;
      waiting = spared;
    },
  };
}
