import type { Database } from '../database/index.js';
import type { Log } from '../log.js';

/** Milliseconds by which the stored instant may lag behind the last use: no write where it is that fresh. */
const LAG = 30_000;
/** Milliseconds that a first use waits for its write, so that many are written together. */
const DELAY = 1_000;
/** Rows in one transaction, so that no request waits long behind a flush. */
const CHUNK = 50;

/** Keeps `lastUsedAt` true within a minute, without a write for each request. */
export interface LastUsed {
  /** Says that a token whose stored instant is `stored` authenticated a request `at` (milliseconds since 1970). */
  note(tokenId: number, stored: number | null, at: number): void;
  /** Writes what is noted; never rejects, since no request depends on it. */
  flush(): Promise<void>;
}

export function createLastUsed(
  db: Pick<Database, 'write'>,
  log: Log,
  { lag = LAG, delay = DELAY }: { lag?: number; delay?: number } = {},
): LastUsed {
  let noted = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  async function writeNoted(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...noted];
    noted = new Map();
    try {
      for (let start = 0; start < batch.length; start += CHUNK) {
        await db.write(async (trx) => {
          for (const [tokenId, at] of batch.slice(start, start + CHUNK)) {
            await trx
              .updateTable('access_tokens')
              .set({ last_used_at: at })
              .where('id', '=', tokenId)
              // Never backwards, whatever the clocks of several processes say.
              .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at)]))
              .execute();
          }
        });
      }
    } catch (error) {
      log.warn({ err: error }, 'lastUsedAt could not be written; the next use of each token writes it');
    }
  }

  function flush(): Promise<void> {
    running = running.then(writeNoted);
    return running;
  }

  return {
    note(tokenId, stored, at) {
      if (stored !== null && at - stored < lag) return;
      noted.set(tokenId, at);
      timer ??= setTimeout(() => void flush(), delay).unref();
    },
    flush,
  };
}
