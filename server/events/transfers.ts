import type { Queries } from '../database/index.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { toUuid } from '../uuid.js';
import { MOST_IDS } from './changes.js';
import { recordEvent } from './record.js';

/** A token that got another owner. */
interface TransferredRow {
  id: number;
  /** 32 hexadecimal digits. */
  uuid: string;
}

/**
 * Writes that tokens of the owner `from` belong to `to`, as one event of `from`. `tokens` are all of them, newest first, of
 * which `cut` lost scopes; none is no event.
 */
export async function recordTransfer(
  trx: Queries,
  { at, by }: { at: number; by: Actor },
  from: OwnerKey,
  to: OwnerKey,
  { tokens, cut }: { tokens: readonly TransferredRow[]; cut: number },
): Promise<void> {
  const [first, ...others] = tokens;
  if (first === undefined) return;
  const isOne = others.length === 0;
  await recordEvent(trx, by, at, {
    action: 'token.transferred',
    owner: from,
    target: isOne ? await targetOf(trx, first) : 'tokens',
    changes: {
      before: { ownerId: from.ownerId },
      after: { ownerId: to.ownerId, cutCount: cut },
      ...(!isOne && { count: tokens.length, ids: tokens.slice(0, MOST_IDS).map(({ uuid }) => toUuid(uuid)) }),
    },
  });
}

async function targetOf(trx: Queries, { id, uuid }: TransferredRow) {
  const named = trx.selectFrom('access_tokens').select(['name', 'prefix']).where('id', '=', id);
  return { uuid: toUuid(uuid), ...(await named.executeTakeFirstOrThrow()) };
}
