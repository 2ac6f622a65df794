import type { Selectable } from 'kysely';
import type { Queries } from '../database/index.js';
import type { OffboardingTable } from '../database/schema.js';
import { ServiceError } from '../errors.js';

export type OffboardingRow = Selectable<OffboardingTable>;

/** Throws `offboarding_under_way` if tokens of the user are not all revoked or moved yet. */
export async function requireNotLeaving(trx: Queries, id: number): Promise<void> {
  if ((await underWay(trx, id)) !== undefined) throw new ServiceError('offboarding_under_way');
}

/** Throws `offboarding_under_way` if tokens of another user are moving to this one. */
export async function requireNothingMovesTo(trx: Queries, id: number): Promise<void> {
  const moving = await trx
    .selectFrom('offboardings')
    .select('user_id')
    .where('to_id', '=', id)
    .where('ended_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (moving === undefined) return;
  throw new ServiceError('offboarding_under_way', { detail: 'Tokens of another user are moving to this user.' });
}

/** The user's offboarding that has not ended; undefined if there is none. */
export async function underWay(trx: Queries, id: number): Promise<OffboardingRow | undefined> {
  return await trx
    .selectFrom('offboardings')
    .selectAll()
    .where('user_id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
}
