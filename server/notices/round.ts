import { lockOwners, type Queries, runPrepared, withoutLocked } from '../database/index.js';
import type { Deps } from '../deps.js';
import { recordEvent } from '../events/record.js';
import { REVOKED_COLUMNS, recordRevocation } from '../events/revocations.js';
import { toInstant } from '../instants.js';
import { queueMails } from '../mail/receivers.js';
import { expiringMail } from '../mail/texts.js';
import { SYSTEM } from '../tokens/actor.js';
import { revoked } from '../tokens/revocation.js';
import { isRevokedAt } from '../tokens/token-settings.js';
import { type ExpiringToken, type Place, type Step, tokensOf, wasAbove } from './due.js';

// A round notices what became due since the round before. Where it is stands in the row of the job, which each transaction
// moves on together with its events: so a notice is neither lost nor written twice, whenever a process ends.

/** The name of the work in `jobs`. */
export const NOTICES = 'notices';
/** Tokens that one transaction looks at; few, so that no request waits long for it. */
const BATCH = 200;

/** How far the notices are; in the row of the job as JSON. */
interface Progress {
  /** What was due at this instant is noticed, in milliseconds since 1970. */
  done: number;
  /** The round under way: until when, its step, and the last token of the step that was seen. */
  round: { until: number; days: number; after: Place | null } | null;
}

/** Begins the notices at the instant `at`, unless they have begun. What was due before is not noticed. */
export async function beginNotices(db: Pick<Deps['db'], 'write'>, at: number): Promise<void> {
  const cursor = JSON.stringify({ done: at, round: null } satisfies Progress);
  await db.write(async (trx) => {
    await runPrepared(trx, begin, { cursor });
    await runPrepared(trx, continueFrom, { cursor });
  });
}

const begin = (trx: Queries, { cursor }: { cursor: string }) =>
  trx
    .insertInto('jobs')
    .values(({ lit }) => ({ name: NOTICES, claimed_until: lit(0), cursor }))
    .onConflict((conflict) => conflict.column('name').doNothing());

const continueFrom = (trx: Queries, { cursor }: { cursor: string }) =>
  trx.updateTable('jobs').set({ cursor }).where('name', '=', NOTICES).where('cursor', 'is', null);

/**
 * Writes the next notices that are due at the instant `at`, and returns whether there may be more; `busy` if another process
 * writes them just now.
 */
export async function noticeBatch(
  { db, config, now, mails }: Pick<Deps, 'db' | 'config' | 'now' | 'mails'>,
  at: number,
): Promise<boolean | 'busy'> {
  return await db.write(async (trx) => {
    const [job] = await withoutLocked(
      trx,
      trx.selectFrom('jobs').select('cursor').where('name', '=', NOTICES),
    ).execute();
    if (job?.cursor == null) return 'busy';
    const { done, round: begun } = JSON.parse(job.cursor) as Progress;
    if (begun === null && at <= done) return false;
    const round = begun ?? { until: at, days: 0, after: null };
    const steps = [0, ...[...config.expiryNoticeDays].sort((a, b) => a - b)];
    // The setting may have changed since the round began.
    const days = steps.find((each) => each >= round.days);
    if (days === undefined) return await moveOn(trx, { done: round.until, round: null });
    const step = { days, nearer: steps[steps.indexOf(days) - 1], done, until: round.until };
    const tokens = await tokensOf(trx, step, days === round.days ? round.after : null, BATCH);
    if (days === 0) {
      const ending = tokens.filter(
        ({ isRevoked, settings, expiresAt }) => !isRevoked && isRevokedAt(settings, expiresAt),
      );
      await lockOwners(trx, ...ending.map(({ ownerId }) => ownerId));
    }
    for (const token of tokens) {
      if (token.isRevoked || !wasAbove(token, days)) continue;
      await notice(trx, now(), step, token);
      if (days === 0 && isRevokedAt(token.settings, token.expiresAt)) await revokeAtEnd(trx, now(), token);
      if (days === 0) continue;
      await queueMails(mails, trx, now(), token.ownerId, (whose) => expiringMail(token, now(), whose, config));
    }
    const last = tokens.at(-1);
    if (tokens.length === BATCH && last !== undefined) {
      const after = { expiresAt: last.expiresAt, id: last.id };
      return await moveOn(trx, { done, round: { until: round.until, days, after } });
    }
    const next = steps[steps.indexOf(days) + 1];
    if (next === undefined) return await moveOn(trx, { done: round.until, round: null });
    return await moveOn(trx, { done, round: { until: round.until, days: next, after: null } });
  });
}

async function notice(trx: Queries, at: number, { days }: Step, token: ExpiringToken): Promise<void> {
  const expiresAt = toInstant(token.expiresAt);
  const [action, after] =
    days === 0 ? (['token.expired', { expiresAt }] as const) : (['token.expiring', { days, expiresAt }] as const);
  await recordEvent(trx, SYSTEM, at, { action, owner: token, target: token, changes: { after } });
}

/** Revokes a token whose end the policy brought, so that nobody revives it. The owner is locked. */
async function revokeAtEnd(trx: Queries, at: number, { id, expiresAt }: ExpiringToken): Promise<void> {
  const revocation = { at, by: SYSTEM, reason: 'policy' } as const;
  const row = await trx
    .updateTable('access_tokens')
    .set(revoked(revocation))
    .where('id', '=', id)
    .where('expires_at', '=', expiresAt)
    .where('revoked_at', 'is', null)
    .returning(REVOKED_COLUMNS)
    .executeTakeFirst();
  if (row !== undefined) await recordRevocation(trx, revocation, row);
}

/** Stores the progress, and returns whether the round goes on. */
async function moveOn(trx: Queries, progress: Progress): Promise<boolean> {
  await trx
    .updateTable('jobs')
    .set({ cursor: JSON.stringify(progress) })
    .where('name', '=', NOTICES)
    .execute();
  return progress.round !== null;
}
