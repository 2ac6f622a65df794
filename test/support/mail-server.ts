import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';

/** A mail that a mail server received. */
export interface ReceivedMail {
  from: string;
  to: string[];
  user: string;
  /** Whether it came over TLS. */
  secure: boolean;
  /** The headers and the body, as they were sent. */
  raw: string;
}

/** Starts a mail server on a free port until the test ends. `refuse` may return the error with which it rejects a mail. */
export async function startMailServer(
  options: SMTPServerOptions = {},
  refuse: (mail: ReceivedMail) => Error | undefined = () => undefined,
) {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, callback) => {
      callback(null, { user: `${username ?? ''}:${password ?? ''}` });
    },
    onData: (stream, { envelope, user, secure }, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const mail = {
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          user: String(user ?? ''),
          secure,
          raw: Buffer.concat(chunks).toString('utf8'),
        };
        const error = refuse(mail);
        if (error === undefined) received.push(mail);
        callback(error);
      });
    },
    ...options,
  });
  // A client that is refused closes its connection.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(resolve);
      }),
  );
  const { port } = server.server.address() as AddressInfo;
  return { port, received };
}
