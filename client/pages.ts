import type { AccessToken, AccessTokenPage, PrivateToken, PrivateTokenPage } from '../generated/types.gen.js';
import { LatchkeyError } from './errors.js';

/** Largest page size that both APIs accept, in tokens: fewest requests. */
export const LARGEST_PAGE = 200;

/** Yields every token of a list with cursors. The service's cursors neither skip nor repeat a token. */
export async function* allAccessTokens(
  list: (cursor: string | undefined) => Promise<AccessTokenPage>,
): AsyncGenerator<AccessToken, void, undefined> {
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await list(cursor);
    yield* items;
    if (nextCursor !== null && nextCursor === cursor) throw endless('a page names itself as its next page');
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export type ListPage = (page: number, pageSize: number) => Promise<PrivateTokenPage>;

/**
 * Yields every token of a list with numbered pages, ordered by id. New tokens have higher ids and come last. Revoked
 * tokens leave the list, and later tokens then move to an earlier position, perhaps onto a page that was already read.
 * Each page is therefore chosen so that it includes the last token seen. If a page begins with a token that was seen, no
 * token was skipped. If it does not, or is past the end, tokens have moved, and an earlier page is read.
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
    if (results.length < pageSize) throw endless('a page that is not the last has fewer tokens than its size');
    offset = end - 1;
  }
}

/** The page that contains the row at `offset` (counted from 0) and ends as far after it as possible. */
function furthestPageWith(offset: number, largest: number): { page: number; pageSize: number } {
  let furthest = { page: offset + 1, pageSize: 1 };
  for (let pageSize = 2; pageSize <= largest; pageSize++) {
    const page = Math.floor(offset / pageSize) + 1;
    if (page * pageSize >= furthest.page * furthest.pageSize) furthest = { page, pageSize };
  }
  return furthest;
}

/** Lists a page; undefined if the page is past the end. The first page always exists. */
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
