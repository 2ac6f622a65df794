import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig, SETTINGS, unknownSettings } from '../server/config/config.js';
import { parsePostgresUrl } from '../server/config/postgres-url.js';
import { latchkey } from './support/process.js';

// The guide to more than one machine, and the compose file that it names.

const FOLDER = 'examples/more-than-one-machine';
const GUIDE = readFileSync('docs/operate/machines.md', 'utf8');

interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, object>;
}

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  volumes?: string[];
  depends_on?: string[] | Record<string, { condition: string }>;
  healthcheck?: object;
}

const compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const own = services.filter(([, { build }]) => build !== undefined);

test('the compose file has what its services name', () => {
  expect(Object.keys(compose.services)).toEqual(['database', 'migration', 'latchkey-1', 'latchkey-2', 'proxy']);
  for (const [name, { image, build, secrets = [], volumes = [], depends_on: before = [] }] of services) {
    expect(image ?? build, name).toBeDefined();
    expect(Object.keys(compose.secrets), name).toEqual(expect.arrayContaining(secrets));
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./')) expect(existsSync(join(FOLDER, source)), source).toBe(true);
      else expect(Object.keys(compose.volumes), name).toContain(source);
    }
    for (const [other, { condition }] of Object.entries(Array.isArray(before) ? {} : before)) {
      if (condition === 'service_healthy') expect(compose.services[other]?.healthcheck, other).toBeDefined();
      else expect(compose.services[other], other).toBeDefined();
    }
  }
  for (const { file } of Object.values(compose.secrets)) {
    expect(readFileSync(join(FOLDER, '.gitignore'), 'utf8').split('\n')).toContain(file.replace('./', ''));
  }
  expect(existsSync(join(FOLDER, own[0]?.[1].build ?? '', 'Dockerfile'))).toBe(true);
});

test('the nodes are configured by settings that there are, and reach the database that is there', () => {
  expect(own.map(([name]) => name)).toEqual(['migration', 'latchkey-1', 'latchkey-2']);
  for (const [name, { environment = {}, secrets = [] }] of own) {
    expect(unknownSettings(environment), name).toEqual([]);
    const config = readConfig({}, environment);
    const address = parsePostgresUrl(config.database);
    const database = compose.services[address?.host ?? '']?.environment;
    expect(database, name).toMatchObject({ POSTGRES_USER: address?.user, POSTGRES_DB: address?.database });
    expect(secrets.map((secret) => `/run/secrets/${secret}`)).toContain(config.databasePasswordFile);
    expect(database?.['POSTGRES_PASSWORD_FILE']).toBe(config.databasePasswordFile);
    expect(config).toMatchObject({ migrate: 'never', trustProxy: 1, host: '0.0.0.0' });
  }
});

test('the proxy knows each node, by its port', () => {
  const proxy = readFileSync(join(FOLDER, 'Caddyfile'), 'utf8');
  const [, upstreams] = /reverse_proxy (.*) \{/.exec(proxy) ?? [];
  const { port } = readConfig({}, own[1]?.[1].environment ?? {});
  expect(upstreams?.split(' ')).toEqual(['latchkey-1', 'latchkey-2'].map((name) => `${name}:${String(port)}`));
  expect(new URL(own[1]?.[1].environment?.['LATCHKEY_PUBLIC_URL'] ?? '').hostname).toBe(/^(\S+) \{$/m.exec(proxy)?.[1]);
});

test('every command and every setting of the guide and the compose file exists', async () => {
  const commands = new Set(own.map(([, { command = [] }]) => command.join(' ')));
  for (const [, text = ''] of GUIDE.matchAll(/`(latchkey \w+)[^`]*`/g)) commands.add(text);
  expect([...commands]).toEqual(expect.arrayContaining(['latchkey serve', 'latchkey migrate', 'latchkey backup']));
  for (const command of commands) {
    const [program, ...args] = command.split(' ');
    expect(program).toBe('latchkey');
    expect(await latchkey([...args, '--help']), command).toMatchObject({ code: 0, stderr: '' });
  }
  const settings = Object.values(SETTINGS).map(({ variable }) => variable);
  for (const [name] of GUIDE.matchAll(/LATCHKEY_\w+/g)) expect(settings).toContain(name);
});

test('docker finds the compose file right, where it is installed', ({ skip }) => {
  const { status } = spawnSync('docker', ['compose', 'version']);
  if (status !== 0) skip('docker compose is not installed');
  const { stderr } = spawnSync('docker', ['compose', 'config', '--quiet'], { cwd: FOLDER, encoding: 'utf8' });
  expect(stderr).toBe('');
});
