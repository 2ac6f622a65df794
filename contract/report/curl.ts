import type { WireRequest } from '../http/encode.js';
import type { Secrets } from '../http/secrets.js';

/** Characters of a text body, or bytes of a binary one, that are shown; the rest is cut. */
const LONGEST_BODY = 2_000;

/** The request as a curl command. Each secret becomes a shell variable, so text with a secret is in double quotes. */
export function toCurl({ method, target, headers, body }: WireRequest, base: URL, secrets: Secrets): string {
  const labels = [...secrets.labels(), '$SECRET'].map((label) => label.slice(1));
  const foreign = new RegExp(`\\$(?!(${labels.join('|')})\\b)`, 'g');
  const quote = (text: string) => {
    const masked = secrets.mask(text);
    return masked === text && !labels.some((label) => text.includes(`$${label}`))
      ? `'${text.replaceAll("'", "'\\''")}'`
      : `"${masked.replace(/["\\`]/g, '\\$&').replace(foreign, '\\$')}"`;
  };
  const parts = [`curl -i -X ${method} ${quote(base.origin + target)}`];
  for (const [name, value] of Object.entries(headers)) {
    const [, basic] = name === 'Authorization' ? (/^Basic (.*)$/.exec(value) ?? []) : [];
    // The mask cannot recognise a secret in base64.
    if (basic !== undefined) parts.push(`-u ${quote(Buffer.from(basic, 'base64').toString())}`);
    else if (name !== 'Accept') parts.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  if (body !== undefined) parts.push(dataOf(body, quote));
  return parts.join(' \\\n  ');
}

function dataOf(body: Uint8Array, quote: (text: string) => string): string {
  const text = Buffer.from(body).toString('utf8');
  if (!Buffer.from(text).equals(body) || text.includes('\0')) {
    const escaped = [...body.slice(0, LONGEST_BODY)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    return `--data-binary @<(printf '${escaped}')`;
  }
  const rest = text.length - LONGEST_BODY;
  const shown = rest > 0 ? `${text.slice(0, LONGEST_BODY)}… (${String(rest)} more)` : text;
  return `--data-raw ${quote(shown)}`;
}
