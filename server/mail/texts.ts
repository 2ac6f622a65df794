import type { Config } from '../config/config.js';

/** A mail to the owner of a token, or to a manager of the service that owns it, in plain text. */
export interface MailText {
  subject: string;
  text: string;
}

/** Whose token a mail tells of: the reader's own, or that of a service which the reader manages. */
export type Whose = 'own' | { serviceId: number; name: string };

interface NamedToken {
  uuid: string;
  name: string;
  prefix: string;
}

const DAY = 86_400_000;

/** The mail about a token that expires soon. */
export function expiringMail(
  token: NamedToken & { expiresAt: number },
  at: number,
  whose: Whose,
  config: Pick<Config, 'publicUrl'>,
): MailText {
  const subject = tokenOf(token, whose);
  const days = Math.max(1, Math.ceil((token.expiresAt - at) / DAY));
  const within = days === 1 ? 'within a day' : `in ${String(days)} days`;
  return {
    subject: `${subject} expires ${within}`,
    text: paragraphs(
      `${subject} expires ${within}: on ${minuteOf(token.expiresAt)}.`,
      factsOf(token),
      'After that, no request with this token is accepted.',
      `If something still uses the token, rotate it before. Rotating gives it a new secret and a new lifetime:\n\n` +
        `  latchkey tokens rotate ${token.uuid}${ownerFlag(whose)} --expires-in 90d --grace 24h`,
      'If nothing uses the token any more, you need not do anything.',
      senderOf(config),
    ),
  };
}

const OUTCOMES = {
  revoked: 'The service has revoked it. No request with this token is accepted any more.',
  disabled: 'The service has disabled it. No request with this token is accepted until you enable it.',
  none: 'The service has changed nothing, because its operator decided so, or because the secret was not valid any more.',
};

/** The mail about a token of which a secret was reported as leaked. */
export function leakedMail(
  token: NamedToken,
  { source, url, outcome }: { source: string | null; url: string | null; outcome: keyof typeof OUTCOMES },
  whose: Whose,
  config: Pick<Config, 'publicUrl'>,
): MailText {
  const found = [url === null ? '' : `Found at: ${url}`, source === null ? '' : `Reported by: ${source}`];
  return {
    subject: `${tokenOf(token, whose)} leaked`,
    text: paragraphs(
      `Somebody found a secret of ${inSentence(tokenOf(token, whose))} where it should not be, and reported it.`,
      [factsOf(token), ...found.filter((line) => line !== '')].join('\n'),
      OUTCOMES[outcome],
      'What you should do:\n\n' +
        '1. Remove the secret from where it was found.\n' +
        '2. Create a new token for whatever uses this one, and store it where others cannot read it.\n' +
        `3. Look for requests that are not yours: latchkey tokens show ${token.uuid}${ownerFlag(whose)}` +
        (outcome === 'none'
          ? `\n4. If the token is still valid, revoke it: latchkey tokens revoke ${token.uuid}${ownerFlag(whose)}`
          : ''),
      senderOf(config),
    ),
  };
}

/** Names the token, such as `Your access token "ci"`. */
function tokenOf({ name }: NamedToken, whose: Whose): string {
  return whose === 'own' ? `Your access token "${name}"` : `The access token "${name}" of the service "${whose.name}"`;
}

function inSentence(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function ownerFlag(whose: Whose): string {
  return whose === 'own' ? '' : ` --owner ${String(whose.serviceId)}`;
}

function factsOf({ name, prefix, uuid }: NamedToken): string {
  return `Name:   ${name}\nPrefix: ${prefix}\nId:     ${uuid}`;
}

function senderOf({ publicUrl }: Pick<Config, 'publicUrl'>): string {
  return `-- \nThe token service${publicUrl === null ? '' : ` at ${publicUrl}`} sent this mail. Nobody reads answers to it.`;
}

/** Such as `2030-06-22 12:00 UTC`. */
function minuteOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function paragraphs(...parts: string[]): string {
  return `${parts.join('\n\n')}\n`;
}
