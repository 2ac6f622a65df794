import { type Database, type MemoryDatabase, openMemoryDatabase } from '../database/index.js';
import { nextTurn } from '../timers.js';

/** A database in memory whose whole content can be exchanged while a service works on it. */
export interface Store {
  /** The same object before and after an exchange. */
  database: Database;
  image(): Promise<Buffer>;
  /** Exchanges the content for that of `image`. */
  load(image: Buffer): Promise<void>;
}

let empty: Promise<Buffer> | undefined;

/** The image of a database that holds what `fill` writes. Schemas are made once in a process. */
export async function imageOf(fill: (database: Database) => Promise<void>): Promise<Buffer> {
  empty ??= takeImage(openMemoryDatabase(), () => Promise.resolve());
  return await takeImage(openMemoryDatabase(await empty), fill);
}

async function takeImage(
  opening: Promise<MemoryDatabase>,
  fill: (database: Database) => Promise<void>,
): Promise<Buffer> {
  const database = await opening;
  try {
    await fill(database);
    return await database.image();
  } finally {
    await database.close();
  }
}

export async function createStore(image: Buffer): Promise<Store> {
  let current = await openMemoryDatabase(image);
  return {
    database: {
      get read() {
        return current.read;
      },
      write: ((work) => current.write(work)) satisfies Database['write'],
      ping: () => current.ping(),
      close: () => current.close(),
    },
    image: () => current.image(),
    async load(image) {
      const next = await openMemoryDatabase(image);
      const last = current;
      current = next;
      await retire(last);
    },
  };
}

/** Closes a database that requests may still be reading: what waits for its connection gets it first. */
async function retire(database: MemoryDatabase): Promise<void> {
  await nextTurn();
  await database.close();
}
