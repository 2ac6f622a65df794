import { type Database, type MemoryDatabase, openMemoryDatabase } from '../database/index.js';
import { createLinking } from '../events/link.js';
import { nextTurn } from '../timers.js';

/** A database in memory whose whole content can be replaced while a service uses it. */
export interface Store {
  /** The database. It stays the same object when its content is replaced. */
  database: Database;
  image(): Promise<Buffer>;
  /** Replaces the content with that of `image`. */
  load(image: Buffer): Promise<void>;
}

/** Events are linked in the transaction of their change, so that a test finds them linked. */
const open = (image?: Buffer) => openMemoryDatabase(image, createLinking(null));

let empty: Promise<Buffer> | undefined;

/** Creates the image of a database with the data that `fill` writes. The empty database is created once in a process. */
export async function imageOf(fill: (database: Database) => Promise<void>): Promise<Buffer> {
  empty ??= takeImage(open(), () => Promise.resolve());
  return await takeImage(open(await empty), fill);
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
  let current = await open(image);
  return {
    database: {
      get read() {
        return current.read;
      },
      readTogether: (work) => {
        current.readTogether(work);
      },
      write: ((work, turn) => current.write(work, turn)) satisfies Database['write'],
      linksAtOnce: current.linksAtOnce,
      watch: current.watch,
      ping: () => current.ping(),
      clock: () => current.clock(),
      close: () => current.close(),
    },
    image: () => current.image(),
    async load(image) {
      const next = await open(image);
      const last = current;
      current = next;
      await retire(last);
    },
  };
}

/** Closes a database that requests may still be reading. Those that wait for its connection get it first. */
async function retire(database: MemoryDatabase): Promise<void> {
  await nextTurn();
  await database.close();
}
