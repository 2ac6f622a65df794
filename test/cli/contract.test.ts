import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Fault } from '../contract/planted/faults.js';
import { startPlanted } from '../contract/planted/server.js';
import { startSmall } from '../contract/planted/small.js';
import { USER } from '../contract/planted/store.js';
import { latchkey, newFolder } from '../support/process.js';
import { latchkeyOnTerminal } from '../support/terminal.js';

async function planted(fault?: Fault): Promise<string[]> {
  const server = await startPlanted(fault);
  onTestFinished(() => server.close());
  return ['contract', '--url', server.url, '--spec', `${server.url}/openapi.yaml`];
}

const LOGIN = { env: { LATCHKEY_PASSWORD: USER.password } };

test('a server that keeps its contract ends with code 0 and the table of statuses', async () => {
  const args = await planted();
  const { code, stdout, stderr } = await latchkey([...args, '--login', USER.email, '--seed', '5'], LOGIN);
  expect(stdout).toMatch(/^OPERATION +REQUESTS +SEEN +DOCUMENTED, NOT SEEN$/m);
  expect(stdout).toMatch(/^createKey +\d+ +201×\d+ 401×\d+ 422×\d+ +-$/m);
  expect(stdout).toMatch(
    / keeps the contract of Keys 1\.0\.0(: \d+ warnings?)? \(\d+ requests in [\d.]+ s, seed 5\)$/m,
  );
  // Lines of progress, as of a log.
  expect(stderr).toMatch(/^(\d+ % of \d+ operations {2}\d+ requests {2}0 faults {2}\d+ s, \d+ s left {2}\w+\n)*$/);
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
  expect(stdout).toMatch(/again {5}latchkey contract --url \S+ --spec \S+ --login \S+ --seed 6 --only listKeys$/m);
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
  expect(xml).toMatch(
    /<testsuite name="listKeys" tests="1" failures="1" errors="0" skipped="0" time="\d+\.\d{3}" timestamp="[^"]+/,
  );
  expect(html).toContain('1. <b>listKeys</b> the server fails with 500');
  expect(html).toMatch(/cannot be provoked/);
  expect(html.indexOf('breaks the contract in 1 way')).toBeLessThan(html.indexOf('Operations and their statuses'));
  expect(html.indexOf('Operations and their statuses')).toBeLessThan(html.indexOf('curl -i -X GET'));
  expect(html).not.toMatch(/<script|<link|src=|@import|url\(/);
  for (const text of [stdout, xml, json, html]) expect(text).not.toContain(USER.password);
});

test.each([
  ['no address', ['contract'], 'give --url, or url in latchkey-contract.yaml'],
  ['a configuration that is not there', ['contract', '--config', 'no.yaml'], 'no.yaml cannot be read'],
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

test('a credential that the server rejects ends with code 2 and is not told', async () => {
  const args = await planted();
  const { code, stderr } = await latchkey([...args, '--token', 'an-unknown-token']);
  expect(stderr).toMatch(/^latchkey: the server rejects the credential: getMe answers 401, listKeys answers 401/);
  expect(stderr).not.toContain('an-unknown-token');
  expect(code).toBe(2);
});

test('--quiet leaves the findings and the closing line', async () => {
  const args = await planted('some limits fail');
  const flags = ['--login', USER.email, '--seed', '6', '--only', 'listKeys', '--quiet'];
  const { stdout, stderr } = await latchkey([...args, ...flags], LOGIN);
  expect(stdout).toMatch(/^\n(warning )?\d+\. listKeys: /);
  expect(stdout).toMatch(/^1\. listKeys: the server fails with 500/m);
  expect(stdout).not.toContain('OPERATION');
  expect(stderr).toBe('');
});

test('a terminal shows how far the run is', async () => {
  const args = await planted();
  const folder = await newFolder();
  // The line is updated ten times a second, so that a fast run would show too few shares.
  await writeFile(join(folder, 'slow.mjs'), 'export const request = () => new Promise((done) => setTimeout(done, 5));');
  const config = join(folder, 'slow.yaml');
  await writeFile(config, JSON.stringify({ hooks: 'slow.mjs' }));
  const flags = ['--login', USER.email, '--only', 'createKey', '--config', config];
  const { output, code } = await latchkeyOnTerminal([...args, ...flags], LOGIN);
  const line = /\r\u001b\[K(\d+) % of 1 operations {2}\d+ requests {2}0 faults {2}\d+ s, \d+ s left {2}\w+ {2}\w+/g;
  const shares = [...output.matchAll(line)].map(([, share]) => Number(share));
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(new Set(shares).size).toBeGreaterThan(2);
  expect(code).toBe(0);
});

test('a log has lines at growing intervals', async () => {
  const url = await startSmall(() => ({ status: 204 }));
  const folder = await newFolder();
  const get = { responses: { 204: { description: 'done' } } };
  // Whoever waits for an answer as long as this is slow enough for a line.
  const hooks = 'export const request = () => new Promise((done) => setTimeout(done, 400));';
  await writeFile(join(folder, 'slow.mjs'), hooks);
  await writeFile(join(folder, 'spec.json'), JSON.stringify({ openapi: '3.1.0', info: {}, paths: { '/a': { get } } }));
  await writeFile(
    join(folder, 'latchkey-contract.yaml'),
    JSON.stringify({ url, spec: 'spec.json', hooks: 'slow.mjs' }),
  );
  const { stderr, stdout } = await latchkey(['contract', '--seed', '1', '--time', '4s'], { cwd: folder });
  expect(stderr).toMatch(/^\d+ % of 1 operations {2}\d+ requests {2}\d+ faults {2}\d+ s, \d+ s left {2}\w+\n/);
  expect(stdout).toMatch(/untitled .*seed 1\)$/m);
});

test('--list and --dry-run tell what would be sent, and send nothing', async () => {
  let requests = 0;
  const server = await startSmall(() => {
    requests++;
    return { status: 200 };
  });
  const spec = resolve('test/contract/planted/openapi.yaml');
  const args = ['contract', '--url', server, '--spec', spec, '--seed', '3'];
  const list = await latchkey([...args, '--list']);
  expect(list.stdout).toMatch(/^OPERATION +REQUEST +APPROX\. REQUESTS +WHAT$/m);
  expect(list.stdout).toMatch(/^createKey +POST \/keys +\d{2,} .*coverage \d+.*fuzz \d+/m);
  expect(list.stdout).toMatch(/^about \d{3,} requests to \d+ operations; nothing was sent$/m);
  expect(list.code).toBe(0);
  const cut = await latchkey([...args, '--list', '--time', '1ms']);
  expect(cut.stderr).toBe('stopped after 0.0 s: further requests are not planned. Give more time with --time.\n');
  expect(cut.code).toBe(2);
  const secret = 'a-token-of-the-command-line';
  const dry = await latchkey([...args, '--dry-run', '--only', 'createKey', '--token', secret]);
  expect(dry.stdout).toMatch(/^# createKey, coverage: body \/name: length 0\ncurl -i -X POST '[^']+\/keys' \\$/m);
  expect(dry.stdout).toContain('-H "Authorization: Bearer $TOKEN"');
  expect(dry.stdout).not.toContain(secret);
  expect(requests).toBe(0);
});

test('a credential comes from the environment or a file by its name', async () => {
  const url = await startSmall(({ headers }) => ({ status: headers['x-key'] === 'the-good-one' ? 204 : 401 }));
  const folder = await newFolder();
  const get = { responses: { 204: { description: 'done' }, 401: { description: 'no' } } };
  const securitySchemes = { key: { type: 'apiKey', in: 'header', name: 'X-Key' } };
  const spec = {
    openapi: '3.1.0',
    info: {},
    security: [{ key: [] }],
    paths: { '/a': { get } },
    components: { securitySchemes },
  };
  await writeFile(join(folder, 'spec.json'), JSON.stringify(spec));
  await writeFile(join(folder, 'key.txt'), 'the-good-one\n');
  const args = ['contract', '--url', url, '--spec', 'spec.json', '--checks', 'server-error'];
  const byEnvironment = { cwd: folder, env: { THE_KEY: 'the-good-one' } };
  expect(await latchkey([...args, '--credential', 'key=env:THE_KEY'], byEnvironment)).toMatchObject({ code: 0 });
  expect(await latchkey([...args, '--token', 'file:key.txt'], { cwd: folder })).toMatchObject({ code: 0 });
  const unset = await latchkey([...args, '--token', 'env:THE_KEY'], { cwd: folder });
  expect(unset).toMatchObject({ code: 2, stderr: 'latchkey: the environment variable THE_KEY is not set\n' });
});
