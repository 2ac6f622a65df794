import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Digest, newPlaintext, Plaintext } from '../server/tokens/plaintext.js';

/** What each way of printing makes of `value`, alone and inside an object, an array, a map and an error. */
function printed(value: Plaintext | Digest): string[] {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
  log.info({ value, nested: { list: [value] } }, 'a message');
  log.info(value);
  log.info('%s %o %j', value, value, value);
  log.error({ err: Object.assign(new Error(`about ${String(value)}`), { value }) });
  return [
    ...lines,
    String(value),
    `in a template: ${value as unknown as string}`,
    'concatenated ' + (value as unknown as string),
    JSON.stringify(value),
    JSON.stringify({ value, list: [value] }),
    inspect(value, { showHidden: true, depth: null, getters: true }),
    inspect({ map: new Map([['value', value]]), list: [value] }, { showHidden: true, depth: null, getters: true }),
    format('%s %o %O %j', value, value, value, value),
    JSON.stringify(Object.entries(value)),
    JSON.stringify(Object.assign({}, value)),
  ];
}

test('whatever prints a plaintext shows its prefix alone', () => {
  const plaintext = newPlaintext('lk', 'pat');
  const text = plaintext.reveal();
  expect(String(plaintext)).toBe(`${text.slice(0, 12)}***`);
  for (const line of printed(plaintext)) expect(line).not.toContain(text.slice(12, 18));
});

test('of a text that is no token nothing is shown, since it may be a password', () => {
  for (const text of ['hunter2', 'correct horse battery staple', 'lk_pat_short', `sk_live_${'0'.repeat(36)}`]) {
    for (const line of printed(new Plaintext(text))) expect(line).not.toContain(text.slice(0, 6));
    expect(String(new Plaintext(text))).toBe('***');
  }
});

test('nothing prints a digest', () => {
  const digest = newPlaintext('lk', 'pat').digest();
  const { hex, bytes } = digest;
  const base64 = Buffer.from(bytes).toString('base64');
  for (const line of printed(digest)) {
    for (const form of [
      hex,
      base64.slice(0, 8),
      [...bytes.subarray(0, 4)].join(','),
      hex.match(/../g)?.join(' ') ?? '',
    ]) {
      expect(line).not.toContain(form);
    }
  }
});

/** The server's source files, by their paths in server/, and their texts. */
const sources = readdirSync('server', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file): [string, string] => [file, readFileSync(join('server', file), 'utf8')]);

test('a plaintext is revealed for the answer that issues it, for a repetition of that, and for the local server', () => {
  const calls = sources.flatMap(([file, text]) =>
    [...text.matchAll(/(?:\.|\['|[{,] *)reveal\b(?!\.js)/g)].map(() => file),
  );
  expect(calls.sort()).toEqual(['handlers/reveal.ts', 'testing/plaintext.ts', 'tokens/once.ts']);
});

test('only handlers that issue a token put its text into an answer', () => {
  const handlers = sources.flatMap(([file, text]) => (/from '[^']*\/reveal\.js'/.test(text) ? [file] : []));
  expect(handlers.sort()).toEqual([
    'handlers/access-tokens.ts',
    'handlers/private-tokens.ts',
    'handlers/session-cookie.ts',
    'handlers/sessions.ts',
  ]);
});
