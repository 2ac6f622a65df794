import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { newPlaintext } from '../../server/tokens/plaintext.js';
import { latchkey } from '../support/process.js';

// `latchkey scan --print-patterns` prints what another tool needs to find tokens.

const TOOLS = ['github', 'gitlab', 'gitleaks', 'trufflehog', 'ripgrep'] as const;

async function print(tool: string, args: string[] = [], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await latchkey(['scan', '--print-patterns', tool, ...args], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** The regular expression in what was printed. */
function patternIn(printed: string): RegExp {
  const [pattern = ''] =
    /(\\b)?(\(\?:[a-z0-9|]+\)|[a-z0-9]+)_\(\?:pat\|ses\|ref\)_\[0-9A-Za-z\]\{36\}(\\b)?/.exec(printed) ?? [];
  expect(pattern).not.toBe('');
  return new RegExp(pattern);
}

test.each(TOOLS)('%s finds tokens of each kind, of the brand in use', async (tool) => {
  const pattern = patternIn(await print(tool, [], { LATCHKEY_BRAND: 'acme' }));
  for (const kind of ['pat', 'ses', 'ref'] as const) {
    const plaintext = newPlaintext('acme', kind).reveal();
    expect(pattern.exec(`key="${plaintext}"`)?.[0]).toBe(plaintext);
    expect(pattern.test(newPlaintext('lk', kind).reveal())).toBe(false);
  }
  expect(pattern.test('acme_pat_short')).toBe(false);
  const both = patternIn(await print(tool, ['--brand', 'lk', '--brand', 'acme']));
  for (const brand of ['lk', 'acme']) expect(both.test(newPlaintext(brand, 'pat').reveal())).toBe(true);
});

test('the configuration of each tool has its form', async () => {
  expect(parse(await print('trufflehog'))).toEqual({
    detectors: [
      {
        name: 'Latchkey token',
        description: 'A token of Latchkey. Revoke it, and report it to the service.',
        keywords: ['lk_pat_', 'lk_ses_', 'lk_ref_'],
        regex: { token: '\\blk_(?:pat|ses|ref)_[0-9A-Za-z]{36}\\b' },
      },
    ],
  });
  expect(await print('ripgrep')).toBe('\\blk_(?:pat|ses|ref)_[0-9A-Za-z]{36}\\b\n');
  expect(await print('gitleaks')).toBe(`title = "Latchkey tokens"

[extend]
useDefault = true

[[rules]]
id = "latchkey-token"
description = "A token of Latchkey. Revoke it, and report it to the service."
regex = '''\\blk_(?:pat|ses|ref)_[0-9A-Za-z]{36}\\b'''
keywords = ["lk_pat_", "lk_ses_", "lk_ref_"]
`);
  const gitlab = await print('gitlab');
  expect(gitlab).toContain(`    value = '''\ntitle = "Latchkey tokens"\n\n[extend]\npath = "/gitleaks.toml"\n`);
  expect(gitlab.match(/'''/g)).toHaveLength(2);
  expect(await print('github')).toMatch(/^Pattern name: {3}Latchkey token\nSecret format: {2}lk_/);
});

test.each([
  ['a path', ['.'], {}, '--print-patterns searches nothing, so it takes no path'],
  ['a wrong brand', ['--brand', 'A'], {}, '--brand must be 1 to 16 lower-case letters and digits, a letter first'],
  [
    'a wrong variable',
    [],
    { LATCHKEY_BRAND: 'A' },
    'LATCHKEY_BRAND must be 1 to 16 lower-case letters and digits, a letter first',
  ],
])('with %s nothing is printed', async (_, args, env, message) => {
  const { code, stdout, stderr } = await latchkey(['scan', '--print-patterns', 'ripgrep', ...args], { env });
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: `latchkey: ${message}\n` });
});
