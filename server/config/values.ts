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
