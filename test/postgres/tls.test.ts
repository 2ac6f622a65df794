import { X509Certificate } from 'node:crypto';
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RunningPostgres, startPostgres } from '../../bench/embedded-postgres.mjs';
import { openDatabase } from '../../server/database/index.js';
import { type Certificate, makeCertificate } from '../support/certificate.js';
import { latchkey } from '../support/process.js';
import { change } from '../support/store.js';

// A PostgreSQL that has TLS, whose certificate is for localhost and not for 127.0.0.1.

const authority = makeCertificate();
let server: RunningPostgres;
let folder: string;

beforeAll(async () => {
  server = await startPostgres({ fsync: 'off' });
  folder = await mkdtemp(join(tmpdir(), 'latchkey-tls-'));
  writeFileSync(join(folder, 'root.crt'), authority.certificate);
  writeFileSync(join(folder, 'other.crt'), makeCertificate({ name: 'others' }).certificate);
  writeFileSync(join(folder, 'empty.crt'), 'no certificate');
  await present(makeCertificate({ host: 'localhost', authority }));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Makes the server present this certificate on its next connections. */
async function present({ certificate, key }: Certificate): Promise<void> {
  const { uid, gid } = statSync(server.folder);
  for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
    const path = join(server.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, uid, gid);
  }
  await change({ database: server.url }, 'alter system set ssl = on', 'select pg_reload_conf()');
  const { raw } = new X509Certificate(certificate);
  await vi.waitFor(async () => {
    expect(await presented()).toEqual(raw);
  });
}

async function presented(): Promise<Buffer> {
  const client = new Client(urlOf('127.0.0.1', 'sslmode=no-verify'));
  try {
    await client.connect();
    const { stream } = (client as unknown as { connection: { stream: TLSSocket } }).connection;
    return stream.getPeerCertificate().raw;
  } finally {
    await client.end();
  }
}

function urlOf(host: string, parameters: string): string {
  const url = Object.assign(new URL(server.url), { hostname: host, search: parameters });
  return url.href.replaceAll('FOLDER', folder);
}

test.each([
  [
    'verify-full, for the name in the certificate',
    'localhost',
    'sslmode=verify-full&sslrootcert=FOLDER/root.crt',
    true,
  ],
  ['verify-ca, for another name', '127.0.0.1', 'sslmode=verify-ca&sslrootcert=FOLDER/root.crt', true],
  ['require, without an authority', '127.0.0.1', 'sslmode=require', true],
  ['require, with the authority', '127.0.0.1', 'sslmode=require&sslrootcert=FOLDER/root.crt', true],
  ['disable', '127.0.0.1', 'sslmode=disable', false],
  ['no sslmode, on this machine', '127.0.0.1', '', false],
])('%s: look-ups and transactions are encrypted as it says', async (_, host, parameters, encrypted) => {
  const database = await openDatabase(urlOf(host, parameters));
  const ssl = sql<{ ssl: string }>`select ssl::text as ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  const { rows } = await ssl.execute(database.read);
  const { rows: written } = await database.write((trx) => ssl.execute(trx));
  await database.close();
  expect([rows, written]).toEqual([[{ ssl: String(encrypted) }], [{ ssl: String(encrypted) }]]);
});

const UNKNOWN_AUTHORITY = /certificate is of an unknown authority: name that with \?sslrootcert=FILE/;

test.each([
  [
    'verify-full, for another name',
    '127.0.0.1',
    'sslmode=verify-full&sslrootcert=FOLDER/root.crt',
    /is for another host/,
  ],
  ['verify-full, without an authority', 'localhost', 'sslmode=verify-full', UNKNOWN_AUTHORITY],
  [
    'verify-full, with another authority',
    'localhost',
    'sslmode=verify-full&sslrootcert=FOLDER/other.crt',
    UNKNOWN_AUTHORITY,
  ],
  [
    'verify-ca, with another authority',
    '127.0.0.1',
    'sslmode=verify-ca&sslrootcert=FOLDER/other.crt',
    UNKNOWN_AUTHORITY,
  ],
  ['require, with another authority', '127.0.0.1', 'sslmode=require&sslrootcert=FOLDER/other.crt', UNKNOWN_AUTHORITY],
  [
    'a file without a certificate',
    'localhost',
    'sslmode=verify-full&sslrootcert=FOLDER/empty.crt',
    /empty\.crt has no certificate/,
  ],
])('%s is refused by one sentence, and exit code 1', async (_, host, parameters, sentence) => {
  await expectRefusal(urlOf(host, parameters), sentence);
});

test('a self-signed certificate, one by another authority of the same name, an expired one, and a server that demands TLS are refused by one sentence each', async () => {
  const parameters = 'sslmode=verify-full&sslrootcert=FOLDER/root.crt';
  await present(makeCertificate({ host: 'localhost' }));
  await expectRefusal(urlOf('localhost', parameters), /certificate is self-signed: name it with \?sslrootcert=FILE/);
  await present(makeCertificate({ host: 'localhost', authority: makeCertificate() }));
  await expectRefusal(urlOf('localhost', parameters), /was not signed by the authority in \?sslrootcert=FILE/);
  await present(makeCertificate({ host: 'localhost', authority, days: -1 }));
  await expectRefusal(urlOf('localhost', parameters), /certificate has expired/);
  const rules = join(server.folder, 'pg_hba.conf');
  writeFileSync(rules, 'hostssl all all all scram-sha-256\n');
  await change({ database: urlOf('localhost', 'sslmode=no-verify') }, 'select pg_reload_conf()');
  await expectRefusal(urlOf('localhost', 'sslmode=disable'), /the server rejects this user \(.*no encryption\)/);
});

async function expectRefusal(database: string, sentence: RegExp): Promise<void> {
  const env = { LATCHKEY_PORT: '0', LATCHKEY_DATABASE: database };
  const { code, stdout, stderr } = await latchkey(['serve'], { env });
  expect(stderr).toMatch(sentence);
  expect(stderr).toMatch(/^latchkey: .*\n$/);
  expect(stderr).not.toMatch(/password(%20| )of(%20| )tester/);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}
