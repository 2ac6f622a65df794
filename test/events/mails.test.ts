import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAccessToken, reportLeakedCredentials } from '../../generated/index.js';
import { openDatabase } from '../../server/database/index.js';
import { readConfig } from '../../server/index.js';
import { createLog } from '../../server/log/log.js';
import { createMails, type SentMail } from '../../server/mail/mails.js';
import { createSmtp } from '../../server/mail/smtp.js';
import { startMailServer } from '../support/mail-server.js';
import { answered, DAY, HOUR, MINUTE, type Service, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

// Mails go through a real mail server. A mail that could not be sent is tried again.

const FROM = 'Tokens <tokens@example.org>';
const PASSWORD = 'a secret of the mail server';

async function leak(service: Service, name: string) {
  const { client } = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client, body: { name } }));
  const body = { credentials: [plaintext], source: 'scanner' };
  await answered(reportLeakedCredentials({ client: service.anonymous, body }));
  return plaintext;
}

const waiting = (service: Service) => rowsOf(service, 'select id, tries, due_at from outgoing_mails order by id');

/** The headers by name in lower case, unfolded. A name that stands there twice fails. */
function headersOf(raw: string): Record<string, string> {
  const [head = ''] = raw.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    expect(headers).not.toHaveProperty(name.toLowerCase());
    headers[name.toLowerCase()] = decoded(value);
  }
  return headers;
}

/** A header's value without the encoding of RFC 2047. */
function decoded(value: string): string {
  return value
    .replace(/\?= =\?UTF-8\?Q\?/g, '')
    .replace(/=\?UTF-8\?Q\?(.*?)\?=/g, (_, text: string) =>
      decodeURIComponent(text.replaceAll('_', ' ').replaceAll('=', '%')),
    );
}

test('the owner of a leaked token gets a mail in plain text', async () => {
  const { port, received } = await startMailServer();
  const service = await startService({ smtpUrl: `smtp://127.0.0.1:${String(port)}`, mailFrom: FROM });
  const plaintext = await leak(service, 'deploy bot');
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
  const [mail] = received;
  expect(mail).toMatchObject({ from: 'tokens@example.org', to: ['admin@latchkey.local'], user: '' });
  const headers = headersOf(mail?.raw ?? '');
  expect(headers).toMatchObject({
    from: FROM,
    to: 'admin@latchkey.local',
    subject: 'Your access token "deploy bot" leaked',
    'auto-submitted': 'auto-generated',
    'content-type': 'text/plain; charset=utf-8',
  });
  expect(headers['message-id']).toMatch(/^<[0-9a-f]{32}@example\.org>$/);
  expect(mail?.raw).toContain('Reported by: scanner');
  expect(mail?.raw).not.toContain(plaintext);
  await expect.poll(() => waiting(service), { timeout: 10_000 }).toEqual([]);
});

test('a name and an address cannot add a header or a receiver', async () => {
  const { port, received } = await startMailServer();
  const send = await createSmtp({
    smtpUrl: `smtp://127.0.0.1:${String(port)}`,
    smtpPasswordFile: null,
    mailFrom: FROM,
  });
  const service = await startService();
  const user = await service.newUser('b@example.org');
  const db = await openDatabase(service.database);
  const mails = createMails({ db, now: service.clock.now, log: createLog('silent') }, send);
  onTestFinished(async () => {
    await mails.close();
    await db.close();
  });
  const at = service.clock.now();
  const subject = 'a\r\nBcc: evil@example.org\r\n\r\nbody';
  await db.write((trx) => mails.queue(trx, at, 1, { subject, text: 'a\r\n.\r\nRCPT TO:<evil@example.org>\r\n' }));
  await mails.settle();
  expect(received).toHaveLength(1);
  expect(received[0]?.to).toEqual(['admin@latchkey.local']);
  expect(headersOf(received[0]?.raw ?? '')).toMatchObject({ subject: 'a Bcc: evil@example.org body' });
  for (const address of ['x,evil@example.org', 'evil@example.org>', '"x"@example.org', 'a(b)@example.org']) {
    await change(service, `update users set email = '${address}' where id = ${String(user.session.id)}`);
    await db.write((trx) => mails.queue(trx, at, user.session.id, { subject: 'a', text: 'a' }));
    await mails.settle();
  }
  await change(
    service,
    `update users set email = 'b@example.org', disabled_at = 1 where id = ${String(user.session.id)}`,
  );
  await db.write((trx) => mails.queue(trx, at, user.session.id, { subject: 'a', text: 'a' }));
  await mails.settle();
  expect(received).toHaveLength(1);
  expect(await waiting(service)).toEqual([]);
});

test('a mail that is refused is tried again, with the same id, and the log does not show the password', async () => {
  let refusals = 1;
  const { port, received } = await startMailServer({}, ({ raw }) =>
    refusals-- > 0 ? Object.assign(new Error(`later: ${PASSWORD} ${raw}`), { responseCode: 451 }) : undefined,
  );
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const smtpPasswordFile = join(folder, 'password');
  await writeFile(smtpPasswordFile, `${PASSWORD}\n`);
  const smtpUrl = `smtp://mailer@127.0.0.1:${String(port)}`;
  const service = await startService({ smtpUrl, smtpPasswordFile, mailFrom: FROM });
  await leak(service, 'a');
  const log = () => service.log.filter((line) => line.includes('a mail could not be sent'));
  await expect.poll(() => log().length, { timeout: 10_000 }).toBe(1);
  expect(log()[0]).toContain('"responseCode":451');
  expect(service.log.join('')).not.toContain(PASSWORD);
  expect(await waiting(service)).toMatchObject([{ tries: 1, due_at: service.clock.now() + MINUTE }]);
  service.clock.advance(MINUTE);
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
  expect(received[0]?.user).toBe(`mailer:${PASSWORD}`);
  await expect.poll(() => waiting(service), { timeout: 10_000 }).toEqual([]);
});

test('a password goes to another machine over TLS alone', async () => {
  const told: string[] = [];
  const { port, received } = await startMailServer({
    onAuth: ({ password }, _, callback) => {
      told.push(String(password));
      callback(null, { user: 'mailer' });
    },
  });
  const mail: SentMail = { messageId: 'a', to: 'a@example.org', subject: 'a', text: 'a' };
  const sendBy = async (host: string) => {
    const smtpUrl = `smtp://mailer:${encodeURIComponent(PASSWORD)}@${host}:${String(port)}`;
    await (await createSmtp({ smtpUrl, smtpPasswordFile: null, mailFrom: FROM }))(mail);
  };
  // Not an address of this machine, although it leads there.
  await expect(sendBy('0.0.0.0')).rejects.toThrow(/STARTTLS|TLS/);
  expect({ told, received }).toEqual({ told: [], received: [] });
  await sendBy('127.0.0.1');
  expect(told).toEqual([PASSWORD]);
});

describe('of the mails that wait', () => {
  /** Two processes on one database that send by `send`. */
  async function startTwo(send: (mail: SentMail) => Promise<void>) {
    const service = await startService();
    const errors: object[] = [];
    const log = { info: () => undefined, warn: () => undefined, error: (fields: object) => void errors.push(fields) };
    const processes = await Promise.all(
      [1, 2].map(async () => {
        const db = await openDatabase(service.database);
        const mails = createMails({ db, now: service.clock.now, log }, send);
        onTestFinished(() => db.close());
        const queue = (subject: string) =>
          db.write((trx) => mails.queue(trx, service.clock.now(), 1, { subject, text: 'text' }));
        return { ...mails, queue };
      }),
    );
    const [one, other] = processes;
    if (one === undefined || other === undefined) throw new TypeError('there are two processes');
    return { service, one, other, errors };
  }

  test('each is sent by one process', async () => {
    const sent: string[] = [];
    const { one, other } = await startTwo((mail) => Promise.resolve(void sent.push(mail.subject)));
    const subjects = Array.from({ length: 20 }, (_, at) => String(at));
    for (const subject of subjects) await one.queue(subject);
    await Promise.all([one.settle(), other.settle()]);
    expect(sent.sort()).toEqual(subjects.sort());
  });

  test('one whose process was killed is sent by another, two minutes later', async () => {
    const ids: string[] = [];
    let isKilled = true;
    const { service, one, other } = await startTwo(async ({ messageId }) => {
      ids.push(messageId);
      // A process that is killed says nothing more.
      if (isKilled) await new Promise(() => undefined);
    });
    await one.queue('a');
    void one.settle();
    await expect.poll(() => ids.length).toBe(1);
    isKilled = false;
    await other.settle();
    expect(ids).toHaveLength(1);
    service.clock.advance(2 * MINUTE);
    await other.settle();
    expect(ids[1]).toBe(ids[0]);
    expect(await waiting(service)).toEqual([]);
  });

  test('one that no try sends is given up, with an error in the log', async () => {
    let tries = 0;
    const { service, one, errors } = await startTwo(() => {
      tries += 1;
      return Promise.reject(new Error('no'));
    });
    await one.queue('a');
    for (const pause of [0, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, DAY]) {
      service.clock.advance(pause);
      await one.settle();
    }
    expect(tries).toBe(6);
    expect(errors).toMatchObject([{ ownerId: 1, tries: 6 }]);
    expect(await waiting(service)).toEqual([]);
  });
});

describe('the settings', () => {
  test.each([
    ['LATCHKEY_SMTP_URL', 'http://mail.example.org'],
    ['LATCHKEY_SMTP_URL', 'smtp://mail.example.org/path'],
    ['LATCHKEY_SMTP_URL', `smtp://a:${PASSWORD.replaceAll(' ', '')}%zz@mail.example.org`],
    ['LATCHKEY_MAIL_FROM', 'nobody'],
    ['LATCHKEY_MAIL_FROM', 'A\r\nBcc: b@example.org <a@example.org>'],
    ['LATCHKEY_MAIL_FROM', 'a@example.org, b@example.org'],
  ])('%s=%s is not allowed, and the message does not show it', (name, value) => {
    expect(() => readConfig({}, { [name]: value })).toThrow(new RegExp(`^${name} must be [^%]*$`));
  });

  test('a mail server needs a sender, and its password file', async () => {
    const LATCHKEY_SMTP_URL = 'smtps://mail.example.org';
    expect(() => readConfig({}, { LATCHKEY_SMTP_URL })).toThrow('LATCHKEY_MAIL_FROM must be');
    const smtpPasswordFile = join(tmpdir(), 'there-is-no-such-file');
    await expect(startService({ smtpUrl: LATCHKEY_SMTP_URL, mailFrom: FROM, smtpPasswordFile })).rejects.toThrow(
      `LATCHKEY_SMTP_PASSWORD_FILE ${smtpPasswordFile} cannot be read: ENOENT`,
    );
  });
});
