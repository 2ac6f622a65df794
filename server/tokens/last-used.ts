import { type Database, type Queries, runPrepared } from '../database/index.js';
import type { LastUsed } from '../deps.js';
import type { Log } from '../log/log.js';
import { clearTimeout, setTimeout } from '../timers.js';

/** Milliseconds by which the stored instant may lag behind the last use: no write where it is that fresh. */
const LAG = 30_000;
/** Milliseconds that a first use waits for its write, so that many are written together. */
const DELAY = 1_000;
/** Rows in one transaction, so that no request waits long behind a flush. */
const CHUNK = 50;
/** Milliseconds until a write that failed, on a full disk or under too much load, is tried again. */
const RETRY = 5_000;
/** Uses that are kept for that; of more, the next use of each token writes it. */
const MOST_KEPT = 100_000;

interface Use {
  tokenId: number;
  /** The start of the secret's digest, which tells whether it is still the token's newest when this is written. */
  start: Uint8Array;
  at: number;
}

export function createLastUsed(
  db: Pick<Database, 'write'>,
  log: Log,
  { lag = LAG, delay = DELAY }: { lag?: number; delay?: number } = {},
): LastUsed {
  let noted = new Map<string, Use>();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let closed = false;

  async function writeNoted(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...noted];
    noted = new Map();
    let written = 0;
    try {
      for (; written < batch.length; written += CHUNK) {
        const chunk = batch.slice(written, written + CHUNK);
        await db.write(async (trx) => {
          for (const [, use] of chunk) await runPrepared(trx, used, use);
        });
      }
    } catch (error) {
      log.warn({ err: error }, 'lastUsedAt could not be written; it is tried again in a while');
      putBack(batch.slice(written, written + MOST_KEPT));
    }
  }

  function putBack(unwritten: [string, Use][]): void {
    if (closed) return;
    // What was noted meanwhile is later.
    noted = new Map([...unwritten, ...noted]);
    timer ??= setTimeout(() => void flush(), RETRY).unref();
  }

  function flush(): Promise<void> {
    running = running.then(writeNoted);
    return running;
  }

  return {
    note({ tokenId, digest }, stored, at) {
      if (stored !== null && at - stored < lag) return;
      const { start } = digest;
      noted.set(`${String(tokenId)} ${start.join(' ')}`, { tokenId, start, at });
      timer ??= setTimeout(() => void flush(), delay).unref();
    },
    flush,
    close() {
      closed = true;
      return flush();
    },
  };
}

/**
 * Never backwards, whatever the clocks of several processes say. The use of an earlier secret counts for the token and
 * for the secret.
 */
const used = (trx: Queries, { tokenId, start, at }: Use) =>
  trx
    .updateTable('access_tokens')
    .set(({ eb, ref, val }) => {
      const later = (column: 'last_used_at' | 'previous_last_used_at') =>
        eb.case().when(column, '>', at).then(ref(column)).else(val(at)).end();
      const earlierSecret = eb.case().when('secret_start', '!=', start).then(later('previous_last_used_at'));
      return {
        last_used_at: later('last_used_at'),
        previous_last_used_at: earlierSecret.else(ref('previous_last_used_at')).end(),
      };
    })
    .where('id', '=', tokenId)
    .where(({ or, eb }) =>
      or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at), eb('secret_start', '!=', start)]),
    );
