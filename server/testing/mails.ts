import type { Deps, Mails } from '../deps.js';
import { toInstant } from '../instants.js';
import { createMails } from '../mail/mails.js';

/** A mail that an ordinary service would have sent. */
export interface RecordedMail {
  /** Counts from 1 on. */
  number: number;
  /** When it was sent, by the server's clock: RFC 3339 in UTC with milliseconds. */
  sentAt: string;
  /** The e-mail address of the owner, or of a manager of the service that owns the token. */
  to: string;
  subject: string;
  text: string;
}

export interface RecordedMails {
  /** The last 1000 mails, oldest first. First sends what the clock and the requests so far have made due. */
  all(): Promise<RecordedMail[]>;
  clear(): void;
}

const MOST_MAILS = 1_000;

/** Records the mails of a local server. */
export function createRecordedMails() {
  let mails: RecordedMail[] = [];
  let last = 0;
  return {
    all: () => mails.map((mail) => ({ ...mail })),
    clear() {
      mails = [];
    },
    /** Forgets all mails, and numbers them from 1 again. */
    reset() {
      mails = [];
      last = 0;
    },
    /** The mails of the service, which are recorded instead of being sent. */
    recording: (deps: Pick<Deps, 'db' | 'now' | 'log'>): Mails =>
      createMails(deps, ({ to, subject, text }) => {
        last += 1;
        mails.push({ number: last, sentAt: toInstant(deps.now()), to, subject, text });
        if (mails.length > MOST_MAILS) mails.shift();
        return Promise.resolve();
      }),
  };
}
