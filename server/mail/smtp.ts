import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Config } from '../config/config.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import type { Send } from './mails.js';

/** Milliseconds in which a mail server must be connected, greet and answer. All of them are less than the lease of a mail. */
const PATIENCE = 20_000;

/**
 * Creates the function that sends mails by the mail server in the configuration. Rejects with `InvalidArgument` if the package
 * nodemailer is not installed, or the file with the password cannot be read.
 */
export async function createSmtp({
  smtpUrl,
  smtpPasswordFile,
  mailFrom,
}: Pick<Config, 'smtpPasswordFile'> & { smtpUrl: string; mailFrom: string }): Promise<Send> {
  const { createTransport } = await loadMailer();
  const url = new URL(smtpUrl);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isSecure = url.protocol === 'smtps:';
  const user = decodeURIComponent(url.username);
  const given = decodeURIComponent(url.password);
  const password = () => (smtpPasswordFile === null ? given : readPassword(smtpPasswordFile));
  // A missing file must end the start, and not the first mail.
  password();
  const domain = /@([^@>\s]+)>?$/.exec(mailFrom)?.[1] ?? 'localhost';
  return async ({ messageId, to, subject, text }) => {
    const transport = createTransport({
      host,
      port: url.port === '' ? (isSecure ? 465 : 25) : Number(url.port),
      secure: isSecure,
      // A password goes over the network only encrypted.
      requireTLS: !isSecure && user !== '' && !isOnThisMachine(host),
      ...(user !== '' && { auth: { user, pass: password() } }),
      connectionTimeout: PATIENCE,
      greetingTimeout: PATIENCE,
      socketTimeout: PATIENCE,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      await transport.sendMail({
        from: mailFrom,
        // As an object, so that nothing in it is read as a list.
        to: { name: '', address: to },
        subject,
        text,
        messageId: `<${messageId}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    } finally {
      transport.close();
    }
  };
}

/** The package is not imported at the top, because it need not be installed. */
async function loadMailer(): Promise<typeof import('nodemailer')> {
  try {
    return await import('nodemailer');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new InvalidArgument(
        'LATCHKEY_SMTP_URL needs the package nodemailer beside latchkey: npm install nodemailer',
      );
    }
    throw error;
  }
}

function readPassword(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new InvalidArgument(`LATCHKEY_SMTP_PASSWORD_FILE ${file} cannot be read: ${code}`);
  }
}

function isOnThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
