import { isPostgresUrl, parsePostgresUrl } from './postgres-url.js';

// Each function parses the text of a setting, and returns undefined if the text is not allowed.

/** Whether a text has the form of an e-mail address: one `@`, no white space and no control characters. */
export function isEmail(text: string): boolean {
  return text.length >= 3 && text.length <= 254 && /^[^\s\p{C}@]+@[^\s\p{C}@]+$/u.test(text);
}

export function integer(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : undefined;
  };
}

export function path(text: string): string | undefined {
  return text !== '' && !text.includes('\0') ? text : undefined;
}

export function databaseAddress(text: string): string | undefined {
  if (!isPostgresUrl(text)) return path(text);
  return parsePostgresUrl(text) === undefined ? undefined : text;
}

export function trueOrFalse(text: string): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** The scheme may be an application's own, such as `capacitor://localhost`. */
export function webOrigins(text: string): string[] | undefined {
  if (text === '*') return ['*'];
  const origins = text.split(',').map((entry) => {
    const origin = entry.trim();
    return /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[\w.-]+(:\d{1,5})?$/.test(origin)
      ? origin
      : origin.includes('*')
        ? undefined
        : httpOrigin(origin);
  });
  return origins.every((origin) => origin !== undefined) ? origins : undefined;
}

export function noticeDays(text: string): number[] | undefined {
  if (text === 'none' || text === '') return [];
  const days = text.split(',').map((entry) => integer(1, 365)(entry.trim()));
  const isAllowed = days.length <= 10 && new Set(days).size === days.length;
  return isAllowed && days.every((each) => each !== undefined) ? days : undefined;
}

export function smtpServer(text: string): string | undefined {
  if (!URL.canParse(text) || !/^smtps?:\/\/[^/?#]+\/?$/i.test(text)) return undefined;
  const { hostname, username, password } = new URL(text);
  const isDecodable = [username, password].every((part) => !/%(?![0-9a-f]{2})/i.test(part));
  return hostname !== '' && isDecodable ? text : undefined;
}

/** The name before an address may not have what would begin another header or address. */
export function sender(text: string): string | undefined {
  if (isEmail(text)) return text;
  const [, address = ''] = /^[^\p{C}<>"@,;:\\()[\]]{1,100} <([^<>]+)>$/u.exec(text) ?? [];
  return isEmail(address) ? text : undefined;
}

export function keysUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, username, password } = new URL(text);
  const isPlain = username === '' && password === '';
  return (protocol === 'https:' && isPlain) || (protocol === 'file:' && host === '') ? text : undefined;
}

export function httpOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:') ? url.origin : undefined;
}
