import type { IncomingHttpHeaders } from 'node:http';
import { PREFIX_LENGTH } from '../tokens/format.js';

const MASK = '***';
const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'x-api-key', 'cookie']);
const SECRET_MEMBERS = /password|secret|token$|^token_access$|plaintext|^data$/i;
/** Tokens of this service, of any brand, also truncated ones. */
const TOKEN = /[a-z][a-z0-9]{0,15}_(?:pat|ses|ref)_[0-9A-Za-z]+/g;

const ONE_TOKEN = new RegExp(`^${TOKEN.source}$`);

/** `text` with every token cut to its displayable prefix: `lk_pat_4fGq1***`. */
export function maskTokens(text: string): string {
  return text.replace(TOKEN, (token) => token.slice(0, PREFIX_LENGTH) + MASK);
}

export function maskHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    const text = Array.isArray(value) ? value.join(', ') : value;
    return [[name, SECRET_HEADERS.has(name) ? maskCredential(name, text) : maskTokens(text)]];
  });
  return Object.fromEntries(entries);
}

/** Masks a credential, but leaves a known scheme, the cookies' names and a token's prefix. */
function maskCredential(name: string, text: string): string {
  if (name === 'cookie') {
    return text
      .split(';')
      .map((pair) => {
        const [, cookie, value] = /^\s*([^=\s]+)=(.*)$/s.exec(pair) ?? [];
        return cookie === undefined ? MASK : `${maskTokens(cookie)}=${maskSecret(value)}`;
      })
      .join('; ');
  }
  const [, scheme = '', secret] = /^((?:bearer|basic|digest|token|apikey) +)?(.*)$/is.exec(text) ?? [];
  return `${scheme}${maskSecret(secret)}`;
}

/** Parses the parameters of a query or form and masks their secrets. */
export function maskParameters(text: string): Record<string, string> {
  const entries = [...new URLSearchParams(text)].map(([name, value]): [string, string] => [
    maskTokens(name),
    SECRET_MEMBERS.test(name) ? maskSecret(value) : maskTokens(value),
  ]);
  return Object.fromEntries(entries);
}

/** Masks values in JSON that are secret by their name or form. */
export function maskJson(value: unknown): unknown {
  if (typeof value === 'string') return maskTokens(value);
  if (Array.isArray(value)) return value.map(maskJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      maskTokens(name),
      SECRET_MEMBERS.test(name) && member !== null ? maskSecret(member) : maskJson(member),
    ]),
  );
}

function maskSecret(secret: unknown): string {
  return typeof secret === 'string' && ONE_TOKEN.test(secret) ? maskTokens(secret) : MASK;
}
