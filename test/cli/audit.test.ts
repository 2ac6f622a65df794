import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import { createAccessToken, updateAccessToken } from '../../generated/index.js';
import { ADMIN, type Finished, latchkey, logInTo, newFolder, runUntil, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';
import { change } from '../support/store.js';

let folder: string;
let database: string;

beforeEach(async () => {
  folder = await newFolder();
  database = join(folder, 'latchkey.db');
});

function run(args: string[], more: Record<string, string> = {}): Promise<Finished> {
  return latchkey(args, { env: { LATCHKEY_DATABASE: database, LATCHKEY_CONFIG: folder, ...more } });
}

/** A stopped service whose log has four events: a user, a session, a token and an edit. */
async function stopped(env: Record<string, string> = {}): Promise<void> {
  const { url, child, finished } = await serveDatabase(database, env);
  const { client } = await logInTo(url);
  const { token } = await answered(createAccessToken({ client, body: { name: 'deploy' } }));
  await answered(updateAccessToken({ client, path: { token_id: token.id }, body: { name: 'release' } }));
  child.kill('SIGTERM');
  expect((await finished).code).toBe(0);
}

test('events are listed for people and for programs, and exported as JSON Lines', async () => {
  const { url, child } = await serveDatabase(database);
  const { client } = await logInTo(url);
  const { token } = await answered(createAccessToken({ client, body: { name: 'deploy' } }));
  const login = ['login', '--url', url, '--email', ADMIN.email, '--password-stdin'];
  expect(await latchkey(login, { input: ADMIN.password, env: { LATCHKEY_CONFIG: folder } })).toMatchObject({ code: 0 });

  const shown = await run(['audit', 'list'], { FORCE_COLOR: '1', COLUMNS: '120' });
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  const text = stripVTControlCharacters(shown.stdout);
  expect(text).toMatch(/^when +action +by +what +from +request\n/);
  expect(text).toMatch(/token\.created +admin@example\.org +deploy lk_pat_\w{5} +127\.0\.0\.1/);
  const plain = await run(['audit', 'list', '--action', 'token.created', '--owner', ADMIN.email]);
  expect(plain.stdout).toMatch(
    /^\d{4}-\S+Z\ttoken\.created\tadmin@example\.org\tdeploy lk_pat_\w{5}\t127\.0\.0\.1\t\S+\n$/,
  );
  const json = await run(['audit', 'list', '--token', token.id, '--actor', '1', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject([{ action: 'token.created', target: { tokenId: token.id } }]);
  expect((await run(['audit', 'list', '--limit', '1'])).stdout.trim().split('\n')).toHaveLength(1);

  await expect.poll(async () => (await run(['audit', 'export'])).stdout.trim().split('\n').length).toBe(5);
  const rest = await run(['audit', 'export', '--after', '2']);
  expect(
    rest.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq),
  ).toEqual([3, 4, 5]);
  const ocsf = await run(['audit', 'export', '--format', 'ocsf', '--after', '4']);
  expect(JSON.parse(ocsf.stdout)).toMatchObject({ class_uid: 3004, metadata: { sequence: 5 } });

  expect(await run(['audit', 'list', '--action', 'nothing'])).toMatchObject({ code: 1, stdout: '' });
  child.kill('SIGTERM');
});

test('events are followed, for people and for programs', async () => {
  const { url, child } = await serveDatabase(database);
  const { client, token } = await logInTo(url);
  const env = { LATCHKEY_URL: url, LATCHKEY_TOKEN: token };
  const [following, live] = await Promise.all([
    runUntil(['audit', 'follow', '--after', '1'], /^\S+Z\t(session\.opened)\t.*\n/m, { env }),
    runUntil(['audit', 'follow', '--json', '--after', '0'], /"action": ?"(session\.opened)".*\n/, { env }),
  ]);
  await answered(createAccessToken({ client, body: { name: 'deploy' } }));
  await expect.poll(() => following.output.stdout).toMatch(/^\S+Z\ttoken\.created\tadmin@example\.org\tdeploy /m);
  await expect.poll(() => live.output.stdout.trim().split('\n').length).toBe(3);
  expect(
    live.output.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq),
  ).toEqual([1, 2, 3]);
  for (const ended of [following.child, live.child, child]) ended.kill();
});

test('a whole chain verifies, also against its anchor, and a changed one does not', async () => {
  await stopped();
  const anchor = (await run(['audit', 'anchor'])).stdout.trim();
  expect(anchor).toMatch(/^4:[0-9a-f]{64}$/);
  expect(await run(['audit', 'verify', '--anchor', anchor])).toMatchObject({
    code: 0,
    stdout: `the chain of 4 events is whole\nit ends at ${anchor}\n`,
  });

  await change({ database }, "update audit_events set address = '10.0.0.1' where seq = 3");
  const fault = 'the event or its hash was changed, or it does not follow the event before';
  expect(await run(['audit', 'verify'])).toMatchObject({ code: 1, stdout: `fault at event 3: ${fault}\n` });
  expect(JSON.parse((await run(['audit', 'verify', '--json'])).stdout)).toMatchObject({
    whole: false,
    fault: { seq: 3 },
  });
  expect(await run(['audit', 'anchor'])).toMatchObject({ code: 1, stdout: '' });
});

test('a restored backup is found by an anchor from before alone, also when the service has gone on', async () => {
  await stopped();
  const copy = join(folder, 'copy.db');
  expect(await run(['backup', copy])).toMatchObject({ code: 0, stderr: '' });
  await stopped();
  const anchor = (await run(['audit', 'anchor'])).stdout.trim();
  expect(anchor).toMatch(/^7:/);
  expect(await run(['restore', copy, '--force'])).toMatchObject({ code: 0, stderr: '' });
  expect(await run(['audit', 'verify'])).toMatchObject({ code: 0 });
  expect(await run(['audit', 'verify', '--anchor', anchor])).toMatchObject({
    code: 1,
    stdout: 'fault at event 7: the chain ends at 4, before the anchor\n',
  });
  await stopped();
  expect(await run(['audit', 'verify'])).toMatchObject({ code: 0 });
  expect(await run(['audit', 'verify', '--anchor', anchor])).toMatchObject({
    code: 1,
    stdout: 'fault at event 7: the hash is not the one of the anchor\n',
  });
});

test('a chain with a key verifies with that key alone', async () => {
  const key = join(folder, 'audit.key');
  writeFileSync(key, randomBytes(32));
  await stopped({ LATCHKEY_AUDIT_KEY_FILE: key });
  expect((await run(['audit', 'verify', '--audit-key-file', key])).code).toBe(0);
  expect(await run(['audit', 'verify'])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('event 1') as string,
  });
  writeFileSync(key, randomBytes(32));
  expect((await run(['audit', 'verify'], { LATCHKEY_AUDIT_KEY_FILE: key })).code).toBe(1);
});

test('a chain that got a key later says how many events are from before', async () => {
  await stopped();
  const key = join(folder, 'audit.key');
  writeFileSync(key, randomBytes(32));
  await stopped({ LATCHKEY_AUDIT_KEY_FILE: key });
  expect((await run(['audit', 'verify', '--audit-key-file', key])).stdout).toMatch(
    /^the chain of 7 events is whole\nit ends at 7:\w{64}\nthe first 4 events are from before the chain had a key\n$/,
  );
  const keyedFrom = async (seq: number) =>
    await run(['audit', 'verify', '--audit-key-file', key, '--keyed-from', String(seq)]);
  expect((await keyedFrom(5)).code).toBe(0);
  // A chain that somebody without the key has written anew passes otherwise.
  expect(await keyedFrom(4)).toMatchObject({ code: 1, stdout: expect.stringContaining('fault at event 4') as string });
  expect(await run(['audit', 'verify', '--keyed-from', '1'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--keyed-from needs the key') as string,
  });
  await change({ database }, "update audit_events set address = '10.0.0.1' where seq = 6");
  expect((await run(['audit', 'verify', '--audit-key-file', key])).stdout).toContain('fault at event 6');
});

test.each([
  [['audit', 'verify', '--anchor', '4'], 'It must be SEQ:HASH'],
  [['audit', 'verify', '--database', 'nowhere.db'], 'there is no database nowhere.db'],
  [['audit', 'verify', '--database', ':memory:'], 'this needs a lasting database'],
  [['audit', 'export', '--after', 'last'], 'It must be an integer of 0 or more'],
])('%j is rejected with a sentence', async (args, sentence) => {
  const { code, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('    at ');
});

test('a key file that cannot be used ends the start and the command with a sentence', async () => {
  await stopped();
  const short = join(folder, 'short.key');
  writeFileSync(short, 'short');
  for (const args of [
    ['serve', '--port', '0'],
    ['audit', 'verify'],
  ]) {
    expect(await run(args, { LATCHKEY_AUDIT_KEY_FILE: short })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`LATCHKEY_AUDIT_KEY_FILE ${short} must have at least 32 bytes`) as string,
    });
    const missing = await run(args, { LATCHKEY_AUDIT_KEY_FILE: join(folder, 'missing.key') });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be read: ENOENT') as string });
  }
});
