// @ts-check
import { setImmediate as nextTurn } from 'node:timers/promises';

// Notes uses as Latchkey does: in memory first, written after a second in small transactions, and not written at all while
// the stored value is recent.

/** Milliseconds. */
const LAG = 30_000;
const DELAY = 1_000;
/** Rows in one transaction. */
const CHUNK = 50;

/** @param {import('better-sqlite3').Database} database */
export function createLastUsed(database) {
  const writeUse = database.prepare(
    'update access_tokens set last_used_at = ? where id = ? and (last_used_at is null or last_used_at < ?)',
  );
  const writeEarlierUse = database.prepare(`
    update access_tokens set previous_last_used_at = ?
    where id = ? and (previous_last_used_at is null or previous_last_used_at < ?)`);
  const writeChunk = database.transaction((/** @type {[number, { at: number, earlier: boolean }][]} */ uses) => {
    for (const [id, { at, earlier }] of uses) {
      writeUse.run(at, id, at);
      if (earlier) writeEarlierUse.run(at, id, at);
    }
  });

  /** @type {Map<number, { at: number, earlier: boolean }>} */
  let noted = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;

  async function flush() {
    clearTimeout(timer);
    timer = undefined;
    const uses = [...noted];
    noted = new Map();
    for (let start = 0; start < uses.length; start += CHUNK) {
      writeChunk.immediate(uses.slice(start, start + CHUNK));
      await nextTurn();
    }
  }

  return {
    /**
     * @param {{ id: number, valid_until: number | null, last_used_at: number | null, previous_last_used_at: number | null }} row
     * @param {number} at
     */
    note({ id, valid_until, last_used_at, previous_last_used_at }, at) {
      const earlier = valid_until !== null;
      const stored = earlier ? previous_last_used_at : last_used_at;
      if (stored !== null && at - stored < LAG) return;
      noted.set(id, { at, earlier: earlier || noted.get(id)?.earlier === true });
      timer ??= setTimeout(() => void flush(), DELAY).unref();
    },
    flush,
  };
}
