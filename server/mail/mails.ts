import { createBackground } from '../background.js';
import { type Queries, runPrepared } from '../database/index.js';
import type { Deps, Mails } from '../deps.js';
import { deleteMail, isMailDue, postponeMail, queueMail, takeMail, type WaitingMail } from './outbox.js';

/** Milliseconds after which mails of other processes, and further tries, are looked for. */
const NET = 2_000;
/** An address that a mail server takes as it is: no list, no comment, no quotes. */
const PLAIN_ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u;

/** A mail that is sent now. */
export interface SentMail {
  messageId: string;
  to: string;
  subject: string;
  text: string;
}

/** Hands a mail to a mail server. Rejects if the server does not accept it. */
export type Send = (mail: SentMail) => Promise<void>;

/** Mails of a service without a mail server: there are none. */
export const NO_MAILS: Mails = {
  queue: () => Promise.resolve(),
  wake: () => undefined,
  settle: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Sends the mails that wait, one at a time, as long as the service runs. */
export function createMails(deps: Pick<Deps, 'db' | 'now' | 'log'>, send: Send): Mails {
  const { db, now, log } = deps;
  let isClosed = false;

  async function sendAll(): Promise<undefined> {
    while (!isClosed && (await isMailDue(db.read, now()))) {
      const mail = await db.write((trx) => takeMail(trx, now()));
      if (mail === undefined) return;
      await sendOne(mail);
    }
  }

  async function sendOne(mail: WaitingMail): Promise<void> {
    const { messageId, subject, text, tries } = mail;
    const [owner] = await runPrepared(db.read, ownerById, { id: mail.ownerId });
    const to = owner?.email ?? null;
    if (to === null || owner?.disabled_at !== null || !PLAIN_ADDRESS.test(to)) {
      log.info(
        { ownerId: mail.ownerId },
        'a mail was not sent, because its receiver is disabled or has no plain address',
      );
      await db.write((trx) => deleteMail(trx, mail));
      return;
    }
    try {
      await send({ messageId, to, subject: subject.replace(/\p{C}+/gu, ' '), text });
    } catch (error) {
      const isLeft = await db.write((trx) => postponeMail(trx, mail, now()));
      const fields = { ownerId: mail.ownerId, tries, ...withoutSecrets(error) };
      if (isLeft) log.warn(fields, 'a mail could not be sent; trying again later');
      else log.error(fields, 'a mail could not be sent, and is given up');
      return;
    }
    await db.write((trx) => deleteMail(trx, mail));
  }

  const background = createBackground(sendAll, { every: NET, log, failure: 'mails could not be sent' });
  return {
    queue: queueMail,
    wake() {
      background.within(0);
    },
    settle: () => background.run(),
    async close() {
      isClosed = true;
      await background.close();
    },
  };
}

const ownerById = (read: Queries, { id }: { id: number }) =>
  read.selectFrom('users').select(['email', 'disabled_at']).where('id', '=', id);

/** What the log may have of an error: a mail server's answer could repeat what was sent. */
function withoutSecrets(error: unknown): object {
  const { name, code, responseCode, command } = error as Record<string, unknown>;
  return { name, code, responseCode, command };
}
