import type { SelectQueryBuilder } from 'kysely';
import { type EventAction, hexOf, type Queries } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';
import type { OwnerKey } from '../tokens/caller.js';
import type { Revocation } from '../tokens/revocation.js';
import { toUuid } from '../uuid.js';
import { MOST_IDS } from './changes.js';
import { recordEvent } from './record.js';

/** What the update of a revocation returns, to write its event. */
export const REVOKED_COLUMNS = [
  'owner_id as ownerId',
  'organization_id as organizationId',
  hexOf('uuid').as('uuid'),
  'name',
  'prefix',
] as const;

export interface RevokedRow extends OwnerKey {
  /** 32 hexadecimal digits, with or without hyphens. */
  uuid: string;
  name: string;
  prefix: string;
}

/** Writes that one token was revoked. */
export async function recordRevocation(
  trx: Queries,
  { at, by, reason }: Revocation,
  row: RevokedRow,
  action: EventAction = 'token.revoked',
): Promise<void> {
  const { uuid, name, prefix } = row;
  await recordEvent(trx, by, at, { action, owner: row, target: { uuid, name, prefix }, reason });
}

/** The uuids of the newest `MOST_IDS` tokens that a query selects, as 32 hexadecimal digits each. Ask before they are revoked. */
export async function newestUuids(
  selected: SelectQueryBuilder<Schema & { token: AccessTokenTable }, 'token', unknown>,
): Promise<string[]> {
  const rows = await selected
    .select(hexOf('token.uuid').as('uuid'))
    .orderBy('token.created_at', 'desc')
    .orderBy('token.id', 'desc')
    .limit(MOST_IDS)
    .execute();
  return rows.map(({ uuid }) => uuid);
}

/** Writes that several tokens of one owner were revoked, as one event. `uuids` are of the newest `MOST_IDS`; none is no event. */
export async function recordRevocations(
  trx: Queries,
  { at, by, reason }: Revocation,
  owner: OwnerKey,
  { count, uuids }: { count: number; uuids: readonly string[] },
): Promise<void> {
  if (count === 0) return;
  await recordEvent(trx, by, at, {
    action: 'token.revoked',
    owner,
    target: 'tokens',
    reason,
    changes: { count, ids: uuids.slice(0, MOST_IDS).map(toUuid) },
  });
}
