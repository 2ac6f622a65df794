import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Fault } from '../contract/planted/faults.js';
import { startPlanted } from '../contract/planted/server.js';
import { USER } from '../contract/planted/store.js';
import { latchkey, newFolder } from '../support/process.js';

async function planted(fault?: Fault): Promise<string[]> {
  const server = await startPlanted(fault);
  onTestFinished(() => server.close());
  return ['contract', '--url', server.url, '--spec', `${server.url}/openapi.yaml`];
}

const LOGIN = { env: { LATCHKEY_PASSWORD: USER.password } };

test('a contract that holds ends with code 0 and the table of statuses', async () => {
  const args = await planted();
  const { code, stdout, stderr } = await latchkey([...args, '--login', USER.email, '--seed', '5'], LOGIN);
  expect(stdout).toMatch(/^OPERATION +REQUESTS +SEEN +DOCUMENTED, NOT SEEN$/m);
  expect(stdout).toMatch(/^createKey +\d+ +201×\d+ 401×\d+ 422×\d+ +-$/m);
  expect(stdout).toMatch(/ holds Keys 1\.0\.0 \(\d+ requests in [\d.]+ s, seed 5\)$/m);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('a broken one ends with code 1, and says of each fault how to see it again', async () => {
  const args = await planted('some limits fail');
  const folder = await newFolder();
  const reports = ['xml', 'json', 'html'].map((kind) => join(folder, `report.${kind}`));
  const flags = ['--login', USER.email, '--password-stdin', '--seed', '6', '--only', 'listKeys'];
  const { code, stdout } = await latchkey([...args, ...flags, ...reports.flatMap((file) => ['--report', file])], {
    input: `${USER.password}\n`,
  });
  expect(stdout).toContain('1. listKeys: the server fails with 500');
  // The smallest limit that fails, found by shrinking.
  expect(stdout).toMatch(/curl -i -X GET 'http:\/\/127\.0\.0\.1:\d+\/keys\?limit=60'/);
  expect(stdout).toContain('-H "Authorization: Bearer $TOKEN"');
  expect(stdout).toContain('again     --seed 6 --only listKeys');
  expect(code).toBe(1);

  const [xml = '', json = '', html = ''] = await Promise.all(reports.map((file) => readFile(file, 'utf8')));
  expect(xml).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="latchkey contract" tests="1" failures="1"/,
  );
  expect(xml).toContain('<failure type="server-error" message="the server fails with 500">');
  expect(JSON.parse(json)).toMatchObject({
    held: false,
    seed: 6,
    failures: [{ operation: 'listKeys', check: 'server-error' }],
  });
  expect(html).toContain('<b>listKeys</b> the server fails with 500');
  expect(html).not.toMatch(/<script|<link|src=|@import|url\(/);
  for (const text of [stdout, xml, json, html]) expect(text).not.toContain(USER.password);
});

test.each([
  ['no address', ['contract'], "required option '--url <address>' not specified"],
  ['a time that is none', ['contract', '--url', 'http://127.0.0.1:1', '--time', 'soon'], '--time must be a duration'],
  ['a seed that is none', ['contract', '--url', 'http://127.0.0.1:1', '--seed', 'x'], '--seed must be an integer'],
  [
    'an unknown kind of report',
    ['contract', '--url', 'http://127.0.0.1:1', '--report', 'r.pdf'],
    '--report must end in',
  ],
  ['nobody there', ['contract', '--url', 'http://127.0.0.1:1'], 'does not answer'],
  ['no password', ['contract', '--url', 'http://127.0.0.1:1', '--login', 'a@b.c'], 'LATCHKEY_PASSWORD'],
])('%s ends with code 2', async (_, args, message) => {
  const { code, stdout, stderr } = await latchkey(args);
  expect(stderr).toContain(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

test('a credential that opens nothing ends with code 2 and is not told', async () => {
  const args = await planted();
  const { code, stderr } = await latchkey([...args, '--token', 'an-unknown-token']);
  expect(stderr).toMatch(/^latchkey: the credential opens nothing: getMe answers 401, listKeys answers 401/);
  expect(stderr).not.toContain('an-unknown-token');
  expect(code).toBe(2);
});
