import type { AccessToken, AccessTokenPage, PrivateToken, PrivateTokenPage } from '../generated/types.gen.js';
import { LatchkeyError } from './errors.js';

/** The largest page of either API, for the fewest requests. */
export const LARGEST_PAGE = 200;

/** Every token of a list with cursors, which itself neither repeats nor loses one. */
export async function* allAccessTokens(
  list: (cursor: string | undefined) => Promise<AccessTokenPage>,
): AsyncGenerator<AccessToken, void, undefined> {
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await list(cursor);
    yield* items;
    if (nextCursor !== null && nextCursor === cursor) throw endless('the next page of a page is that page');
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export type ListPage = (page: number, pageSize: number) => Promise<PrivateTokenPage>;

/**
 * Every token of a list with numbered pages, ordered by id. New tokens have higher ids and so come last; revoked ones
 * drop out, and what stood behind them moves up, past the edge of a page that was read before. So each page is chosen to
 * reach back over the last token seen: where it begins with one that was seen, none can have slipped through before it.
 * Where it does not, or is past the end, tokens have dropped out, and an earlier page is read.
 */
export async function* allPrivateTokens(
  list: ListPage,
  largest: number,
): AsyncGenerator<PrivateToken, void, undefined> {
  let lastSeen = 0;
  let offset = 0;
  for (let stepBack = largest; ; ) {
    const { page, pageSize } = furthestPageWith(offset, largest);
    const start = (page - 1) * pageSize;
    const found = await listIfThere(list, page, pageSize);
    const first = found?.results[0];
    if (start > 0 && (first === undefined || first.id > lastSeen)) {
      offset = Math.max(0, start - stepBack);
      stepBack *= 2;
      continue;
    }

    stepBack = largest;
    const { results, count } = found ?? { results: [], count: 0 };
    for (const token of results) {
      if (token.id <= lastSeen) continue;
      lastSeen = token.id;
      yield token;
    }
    const end = start + results.length;
    if (end >= count) return;
    if (results.length < pageSize) throw endless('a page is shorter than its size and not the last');
    offset = end - 1;
  }
}

/** The page that holds the row at `offset`, from 0, and reaches furthest behind it. */
function furthestPageWith(offset: number, largest: number): { page: number; pageSize: number } {
  let furthest = { page: offset + 1, pageSize: 1 };
  for (let pageSize = 2; pageSize <= largest; pageSize++) {
    const page = Math.floor(offset / pageSize) + 1;
    if (page * pageSize >= furthest.page * furthest.pageSize) furthest = { page, pageSize };
  }
  return furthest;
}

/** Undefined for a page past the end; the first is never past it. */
async function listIfThere(list: ListPage, page: number, pageSize: number): Promise<PrivateTokenPage | undefined> {
  try {
    return await list(page, pageSize);
  } catch (error) {
    if (page > 1 && error instanceof LatchkeyError && error.code === 'not_found') return undefined;
    throw error;
  }
}

function endless(why: string): LatchkeyError {
  return new LatchkeyError({ code: 'unexpected_answer', status: 200, message: `The list cannot be read: ${why}.` });
}
