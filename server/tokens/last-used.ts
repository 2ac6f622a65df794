import { type Database, lockTokensAhead, updateForRows } from '../database/index.js';
import type { LastUsed } from '../deps.js';
import type { Log } from '../log/log.js';
import { clearTimeout, setTimeout } from '../timers.js';

/** Milliseconds that the stored instant may lag behind the last use; while it is fresher, a use writes nothing. */
const LAG = 30_000;
/** Milliseconds between the first recorded use and the write, so that many uses share one. */
const DELAY = 1_000;
/** Rows in one transaction; few, so that requests do not wait long for a flush. */
const CHUNK = 50;
/** Milliseconds until a failed write is tried again. */
const RETRY = 5_000;
/** Uses kept for another try. More are dropped; the next use of the same token is recorded again. */
const MOST_KEPT = 100_000;

interface Use {
  tokenId: number;
  /** The start of the secret's digest. It tells whether the secret is still the token's newest at the write. */
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
    // In the order of their ids, so that two processes that write the same tokens do not wait for each other in a circle.
    const batch = [...noted].sort(([, a], [, b]) => a.tokenId - b.tokenId);
    noted = new Map();
    let written = 0;
    try {
      for (; written < batch.length; written += CHUNK) {
        const chunk = batch.slice(written, written + CHUNK);
        await db.write(async (trx) => {
          await lockTokensAhead(trx, [...new Set(chunk.map(([, { tokenId }]) => tokenId))]);
          for (const uses of onceEach(chunk.map(([, use]) => use))) await writeUses(trx, uses);
        });
      }
    } catch (error) {
      log.warn({ err: error }, 'lastUsedAt could not be written; trying again in 5 seconds');
      putBack(batch.slice(written, written + MOST_KEPT));
    }
  }

  function putBack(unwritten: [string, Use][]): void {
    if (closed) return;
    // Uses that were recorded meanwhile are later and win.
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

/** Splits uses into lists in which no token occurs twice. There are several only where a token was used by two secrets. */
function onceEach(uses: Use[]): Use[][] {
  const lists: Use[][] = [];
  const seen = new Map<number, number>();
  for (const use of uses) {
    const index = seen.get(use.tokenId) ?? 0;
    seen.set(use.tokenId, index + 1);
    (lists[index] ??= []).push(use);
  }
  return lists;
}

/**
 * Writes uses. It never moves an instant back, even if the clocks of several processes differ. A use of an earlier secret
 * sets both the token's instant and that of its earlier secret.
 */
const writeUses = updateForRows<'access_tokens', Use>(
  'access_tokens',
  { tokenId: 'bigint', start: 'bytea', at: 'bigint' },
  (update, { tokenId, start, at }) =>
    update
      .set(({ eb, ref }) => {
        const later = (column: 'last_used_at' | 'previous_last_used_at') =>
          eb.case().when(column, '>', at).then(ref(column)).else(at).end();
        const earlierSecret = eb.case().when('secret_start', '!=', start).then(later('previous_last_used_at'));
        return {
          last_used_at: later('last_used_at'),
          previous_last_used_at: earlierSecret.else(ref('previous_last_used_at')).end(),
        };
      })
      .where('id', '=', tokenId)
      .where(({ or, eb }) =>
        or([eb('last_used_at', 'is', null), eb('last_used_at', '<', at), eb('secret_start', '!=', start)]),
      ),
);
