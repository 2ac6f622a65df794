import { type Queries, runPrepared } from '../database/index.js';
import type { Mails } from '../deps.js';
import type { MailText, Whose } from './texts.js';

/**
 * Lets a mail about a token of the owner wait for those who look after it: a person, or the enabled managers of a service.
 * About a token of an external owner there is none, because the product that knows the owner decides what to tell.
 */
export async function queueMails(
  mails: Mails,
  trx: Queries,
  at: number,
  ownerId: number,
  write: (whose: Whose) => MailText,
): Promise<void> {
  const rows = await runPrepared(trx, ownerWithManagers, { ownerId });
  for (const { kind, name, manager_id: managerId, manager_disabled_at: disabledAt } of rows) {
    if (kind === 'person') await mails.queue(trx, at, ownerId, write('own'));
    if (kind !== 'service' || managerId === null || disabledAt !== null) continue;
    await mails.queue(trx, at, managerId, write({ serviceId: ownerId, name }));
  }
}

/** A row for each manager of a service, and one for any other owner. */
const ownerWithManagers = (queries: Queries, { ownerId }: { ownerId: number }) =>
  queries
    .selectFrom('users as owner')
    .leftJoin('managers', 'managers.service_id', 'owner.id')
    .leftJoin('users as manager', 'manager.id', 'managers.user_id')
    .select(['owner.kind', 'owner.full_name as name', 'manager.id as manager_id'])
    .select('manager.disabled_at as manager_disabled_at')
    .where('owner.id', '=', ownerId)
    .orderBy('managers.user_id');
