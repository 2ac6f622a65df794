import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../server/index.js';
import { latchkey, newFolder, serve } from '../support/process.js';

test.each([
  [['serve'], 'LATCHKEY_DATABSE', 'LATCHKEY_DATABASE'],
  [['serve'], 'latchkey_database', 'LATCHKEY_DATABASE'],
  [['dev', '--port', '0'], 'LATCHKEY_PORTS', 'LATCHKEY_PORT'],
  [['users', 'list'], 'LATCHKEY_DATA_BASE', 'LATCHKEY_DATABASE'],
  [['serve'], 'LATCHKEY_TRUST_PORXY', 'LATCHKEY_TRUST_PROXY'],
  [['tokens', 'list'], 'LATCHKEY_TOKNE', 'LATCHKEY_TOKEN'],
  [['scan', '.'], 'LATCHKEY_URI', 'LATCHKEY_URL'],
])('latchkey %j refuses %s, and names %s', async (args, name, meant) => {
  const cwd = await newFolder();
  const { code, stdout, stderr } = await latchkey(args, { cwd, env: { [name]: 'a secret' } });
  expect(stderr).toBe(`latchkey: there is no setting ${name}; did you mean ${meant}?\n`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(existsSync(join(cwd, 'latchkey.db'))).toBe(false);
});

test('any other unknown one is one warning, without its value', async () => {
  const { output } = await serve({
    LATCHKEY_DATABASE: ':memory:',
    LATCHKEY_FROM_THE_FUTURE: 'a secret',
    LATCHKEY_EMPTY: '',
  });
  expect(output.stderr).toBe('latchkey: LATCHKEY_FROM_THE_FUTURE is not a setting of this version and is ignored\n');
});

test('what a container platform sets for a service called latchkey is ignored, the port as well', async () => {
  const { output, url } = await serve(
    {
      LATCHKEY_DATABASE: ':memory:',
      LATCHKEY_SERVICE_HOST: '10.0.0.1',
      LATCHKEY_SERVICE_PORT: '80',
      LATCHKEY_SERVICE_PORT_HTTP: '80',
      LATCHKEY_PORT: 'tcp://10.0.0.1:80',
      LATCHKEY_PORT_80_TCP: 'tcp://10.0.0.1:80',
      LATCHKEY_PORT_80_TCP_PROTO: 'tcp',
      LATCHKEY_API_SERVICE_HOST: '10.0.0.2',
      LATCHKEY_API_PORT: 'udp://10.0.0.2:80',
      LATCHKEY_API_PORT_80_UDP_ADDR: '10.0.0.2',
    },
    ['--port', '0'],
  );
  expect(output.stderr).toBe('');
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(readConfig({}, { LATCHKEY_PORT: 'tcp://10.0.0.1:80' }).port).toBe(8080);
  expect(() => readConfig({}, { LATCHKEY_PORT: 'http://10.0.0.1:80' })).toThrow('LATCHKEY_PORT must be');
});

test("a program that reads the service's settings is told, too", () => {
  expect(() => readConfig({}, { LATCHKEY_DATABSE: 'a.db' })).toThrow('did you mean LATCHKEY_DATABASE?');
});

test('serve --help lists every setting with its default, as the page of the configuration does', async () => {
  const { stdout } = await latchkey(['serve', '--help']);
  const page = await readFile('docs/operate/configuration.md', 'utf8');
  const listed = [...stdout.matchAll(/^ {2}(LATCHKEY_\w+)/gm)].map(([, name]) => name);
  const onPage = [...page.matchAll(/^\| `(LATCHKEY_\w+)` +\| /gm)].map(([, name]) => name);
  expect(listed.length).toBeGreaterThan(16);
  expect([...listed].sort()).toEqual([...onPage].sort());
  const defaults = { ...readConfig({}, {}) };
  for (const value of Object.values(defaults)) {
    if (value !== null && String(value) !== '') expect(stdout).toContain(`(${String(value)})`);
  }
});
