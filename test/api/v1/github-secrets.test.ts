import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAccessToken, getMe, listAuditEvents, revokeAccessToken } from '../../../generated/index.js';
import { newPlaintext } from '../../../server/tokens/plaintext.js';
import { type GitHubKey, gitHubKeysFile, newGitHubKey, signedByGitHub } from '../../support/github.js';
import { send } from '../../support/http.js';
import { answered, DAY, MINUTE, type Service, startService } from '../../support/service.js';
import { rowsOf } from '../../support/store.js';

// The message that GitHub's secret scanning sends, signed with keys that GitHub publishes.

const PATH = 'POST /api/v1/credentials/github-secret-scanning';
const WHERE = { type: 'latchkey_token', url: 'https://github.com/a/b/blob/c/d', source: 'commit' };

/** A service that reads GitHub's keys from a file. */
async function startWithKeys(...keys: GitHubKey[]) {
  const { url, ...file } = await gitHubKeysFile(...keys);
  return { service: await startService({ githubKeysUrl: url }), ...file };
}

function post(
  service: Service,
  key: GitHubKey,
  message: unknown,
  { signed, id = key.id }: { signed?: string; id?: string } = {},
) {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return send(service, PATH, { body, headers: signedByGitHub({ ...key, id }, signed ?? body) });
}

const labelOf = (text: string, label: string) => ({
  token_hash: hash('sha256', text, 'hex'),
  token_type: WHERE.type,
  label,
});

test('tokens that GitHub found are revoked, and GitHub learns which texts are or were tokens', async () => {
  const key = newGitHubKey('one');
  const { service } = await startWithKeys(newGitHubKey('other'), key);
  const { client } = await service.admin();
  const [live, dead] = [
    await answered(createAccessToken({ client, body: { name: 'live' } })),
    await answered(createAccessToken({ client, body: { name: 'dead' } })),
  ];
  await revokeAccessToken({ client, path: { token_id: dead.token.id } });
  const unknown = newPlaintext('lk', 'pat').reveal();
  const texts = [live.plaintext, unknown, dead.plaintext];
  const message = texts.map((token) => ({ token, ...WHERE, new_member: { of: 'GitHub' } }));
  // Other white space than this program would write: the signature is of the bytes.
  const answer = await post(service, key, JSON.stringify(message, undefined, 3));
  expect(answer).toMatchObject({
    status: 200,
    body: [
      labelOf(live.plaintext, 'true_positive'),
      labelOf(unknown, 'false_positive'),
      labelOf(dead.plaintext, 'true_positive'),
    ],
  });
  await expect.poll(() => rowsOf(service, 'select id from leak_reports'), { timeout: 5_000 }).toEqual([]);
  expect((await getMe({ client: service.as(live.plaintext) })).response.status).toBe(401);
  const { items } = await answered(listAuditEvents({ client, query: { action: 'token.leaked' } }));
  expect(items).toHaveLength(2);
  for (const { changes } of items) {
    expect(changes.after).toMatchObject({ source: 'GitHub: commit', url: WHERE.url });
  }
});

test('a place with characters that no database stores is no reason not to revoke', async () => {
  const key = newGitHubKey('one');
  const { service } = await startWithKeys(key);
  const { client } = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'live' } }));
  // The cut at 1,024 characters leaves half of the last one.
  const url = `https://github.com/a\0b\u001b/${'c'.repeat(999)}\ud83d\ude00`;
  const message = [{ token: plaintext, type: 'a', url, source: 'com\0mit\ud800' }];
  expect(await post(service, key, message)).toMatchObject({ status: 200, body: [{ label: 'true_positive' }] });
  await expect.poll(async () => (await getMe({ client: service.as(plaintext) })).response.status).toBe(401);
  const { items } = await answered(listAuditEvents({ client, query: { action: 'token.leaked' } }));
  expect(items[0]?.changes.after).toMatchObject({
    source: 'GitHub: com\ufffdmit\ufffd',
    url: `https://github.com/a\ufffdb\ufffd/${'c'.repeat(999)}\ufffd`,
  });
});

test('a message with another signature changes nothing and tells nothing', async () => {
  const key = newGitHubKey('one');
  const { service } = await startWithKeys(key);
  const { client } = await service.admin();
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'live' } }));
  const message = [{ token: plaintext, ...WHERE }];
  const answers = [
    await post(service, key, message, { signed: `${JSON.stringify(message)} ` }),
    await post(service, newGitHubKey('one'), message),
    await post(service, key, message, { id: 'two' }),
  ];
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 403, body: { code: 'invalid_signature' } });
    expect(answer.text).not.toContain(hash('sha256', plaintext, 'hex'));
  }
  expect(await send(service, PATH, { json: message })).toMatchObject({ status: 422 });
  expect(await rowsOf(service, 'select id from leak_reports')).toEqual([]);
});

test('keys are used for a day, and an unknown one is looked for once a minute at most', async () => {
  const [first, second] = [newGitHubKey('first'), newGitHubKey('second')];
  const { service, publish, unpublish } = await startWithKeys(first);
  const message = [{ token: 'a text', ...WHERE }];
  const status = async (key: GitHubKey) => (await post(service, key, message)).status;
  expect(await status(first)).toBe(200);
  await publish(first, second);
  expect(await status(second)).toBe(403);
  service.clock.advance(MINUTE);
  expect(await status(second)).toBe(200);
  await publish(second);
  service.clock.advance(DAY - 1);
  expect(await status(first)).toBe(200);
  service.clock.advance(1);
  expect(await status(first)).toBe(403);
  // Keys that are known stay in use while none can be read.
  await unpublish();
  service.clock.advance(2 * DAY);
  expect(await status(second)).toBe(200);
  expect(service.log.filter((line) => line.includes("GitHub's keys could not be read"))).toHaveLength(1);
});

test('keys of another curve are not used, and without any key the answer is 503', async () => {
  const key = newGitHubKey('one', 'P-384');
  const { service } = await startWithKeys(key);
  const answer = await post(service, key, [{ token: 'a text', ...WHERE }]);
  expect(answer).toMatchObject({ status: 503, body: { code: 'service_unavailable' } });
  expect(answer.headers['retry-after']).toBe('1');
});

test('without the setting the operation is not there', async () => {
  const service = await startService();
  const answer = await post(service, newGitHubKey('one'), [{ token: 'a text', ...WHERE }]);
  expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
});
