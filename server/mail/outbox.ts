import { type Queries, runPrepared, sendPrepared, withoutLocked } from '../database/index.js';
import { newUuid } from '../uuid.js';
import type { MailText } from './texts.js';

// Mails wait in a table, written in the transaction of what they tell of. A mail is deleted when the mail server has accepted it:
// so each is sent at least once, and twice only if the process ends in between.

/** Milliseconds after which another process may send a mail that a process has taken: the longest try, and some more. */
const LEASE = 2 * 60_000;
/** Milliseconds from each failed try to the next. After the last one the mail is given up. */
const PAUSES = [60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 6 * 3_600_000] as const;

/** A mail that a process has taken, to send it. */
export interface WaitingMail extends MailText {
  id: number;
  /** The part of `Message-ID` before the `@`. It is the same in each try. */
  messageId: string;
  ownerId: number;
  /** Tries so far, with the one that begins. */
  tries: number;
}

export async function queueMail(trx: Queries, at: number, ownerId: number, { subject, text }: MailText): Promise<void> {
  const uuid = Buffer.from(newUuid(at)).toString('hex');
  await sendPrepared(trx, newMail, { at, ownerId, messageId: uuid, subject, text });
}

interface NewMail extends MailText {
  at: number;
  ownerId: number;
  messageId: string;
}

const newMail = (trx: Queries, { at, ownerId, messageId, subject, text }: NewMail) =>
  trx.insertInto('outgoing_mails').values(({ lit }) => ({
    message_id: messageId,
    owner_id: ownerId,
    subject,
    text,
    tries: lit(0),
    created_at: at,
    due_at: at,
  }));

/** Whether a mail is due at the instant `at`. */
export async function isMailDue(read: Queries, at: number): Promise<boolean> {
  return (await runPrepared(read, dueMail, { at })).length > 0;
}

const dueMail = (queries: Queries, { at }: { at: number }) =>
  queries.selectFrom('outgoing_mails').select('id').where('due_at', '<=', at).orderBy('due_at').limit(1);

/** Takes the mail that is due longest; undefined if there is none. Until its lease is over, no other process takes it. */
export async function takeMail(trx: Queries, at: number): Promise<WaitingMail | undefined> {
  const [due] = await withoutLocked(trx, dueMail(trx, { at })).execute();
  if (due === undefined) return undefined;
  const row = await trx
    .updateTable('outgoing_mails')
    .set(({ eb, lit }) => ({ tries: eb('tries', '+', lit(1)), due_at: at + LEASE }))
    .where('id', '=', due.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const { id, message_id: messageId, owner_id: ownerId, subject, text, tries } = row;
  return { id, messageId, ownerId, subject, text, tries };
}

/** Deletes a mail that was sent, or that nobody can get. */
export async function deleteMail(trx: Queries, { id }: Pick<WaitingMail, 'id'>): Promise<void> {
  await trx.deleteFrom('outgoing_mails').where('id', '=', id).execute();
}

/** Lets a mail that could not be sent wait for its next try, and returns whether there is one. */
export async function postponeMail(trx: Queries, { id, tries }: WaitingMail, at: number): Promise<boolean> {
  const pause = PAUSES[tries - 1];
  if (pause === undefined) {
    await deleteMail(trx, { id });
    return false;
  }
  await trx
    .updateTable('outgoing_mails')
    .set({ due_at: at + pause })
    .where('id', '=', id)
    .execute();
  return true;
}
