import { expect, test } from 'vitest';
import { type ContractHooks, testContract, toSummary } from '../../contract/index.js';
import { createAccessToken, getMe } from '../../generated/index.js';
import { gitHubKeysFile, newGitHubKey, signedByGitHub } from '../support/github.js';
import { ADMIN, answered, startService } from '../support/service.js';

// The contract tests against this very service, whose own validator they know nothing of.

const login = { username: ADMIN.email, password: ADMIN.password };
/** The system's clock: a credential with a short life has to expire while the run looks. */
const now = Date.now;
/** A user whose password is hashed takes a while, and there are many in a run. */
const timeout = 240_000;

/** Lines of JSON and server-sent events are streams. */
const STREAMS = ['followEvents', 'exportAuditEvents'].map(
  (id) => `${id}: the body of 200 is not checked: a stream has no end`,
);

/** A service that knows GitHub's key, and the hooks that sign GitHub's messages with it and send what a page sends. */
async function startSigned() {
  const key = newGitHubKey();
  const { url: githubKeysUrl } = await gitHubKeysFile(key);
  const service = await startService({ now, githubKeysUrl });
  let refreshes = 0;
  const hooks: ContractHooks = {
    async request(request, { operation }) {
      const { body, headers } = request;
      if (operation.endsWith('BrowserSession')) {
        const ofPage = { ...headers, 'Sec-Fetch-Site': 'same-origin' };
        // Every other refresh has a cookie: without one it is 401.
        if (operation === 'openBrowserSession' || refreshes++ % 2 === 1) return { ...request, headers: ofPage };
        const { session } = await service.admin();
        return { ...request, headers: { ...ofPage, Cookie: `vai_refresh=${session.refresh_token}` } };
      }
      if (operation !== 'reportGitHubSecrets' || body === undefined) return undefined;
      const { 'Github-Public-Key-Identifier': id = '', 'Github-Public-Key-Signature': signature = '' } = headers;
      // A request without these headers, or with malformed ones, stays as it is.
      if (!/^[!-~]{1,256}$/.test(id) || !/^(?=.{8,512}$)[A-Za-z0-9+/]+=*$/.test(signature)) return undefined;
      return { ...request, headers: { ...headers, ...signedByGitHub(key, body) } };
    },
  };
  return { service, hooks };
}

test('the service holds its contract, and every operation succeeded', { timeout }, async () => {
  const { service, hooks } = await startSigned();
  const report = await testContract({ url: service.url, login, hooks, leaveOut: {}, seed: 1, timeMs: timeout });
  expect(report.failures, toSummary(report)).toEqual([]);
  // A run does not change the password that it logs in with.
  expect(report).toMatchObject({ held: true, complete: true, untested: [], warnings: [], notes: STREAMS });
  for (const { operation, seen, documented } of report.operations) {
    if (operation === 'changePassword') continue;
    expect(Object.keys(seen), operation).toContain(documented.find((status) => status.startsWith('2')));
    // What an operation documents of refusals was seen, but for other sites, throttling, and what a whole account is
    // like.
    const unseen = documented.filter((status) => /^4(?!03|09|29)/.test(status) && !(status in seen));
    // Without the setting of GitHub's keys that operation is 404.
    expect(unseen, operation).toEqual(operation === 'reportGitHubSecrets' ? ['404'] : []);
    if (/^(update|rotate)AccessToken$/.test(operation)) expect(Object.keys(seen), operation).toContain('409');
  }
  expect(report.requests).toBeGreaterThan(1_000);
  expect(JSON.stringify(report)).not.toMatch(/_(pat|ses|ref)_[0-9A-Za-z]{36}/);
});

test('with a token it holds as well, and neither the token nor the login is spent', { timeout }, async () => {
  // Without hooks, as a user would: the document says which operation only GitHub can call.
  const service = await startService({ now });
  const { client } = await service.admin();
  const scopes = [
    'audit:read',
    'policy:admin',
    'tokens:act-as',
    'tokens:read',
    'tokens:verify',
    'tokens:write',
    'users:admin',
    'webhooks:admin',
  ];
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'for the contract tests', scopes } }));
  const report = await testContract({
    url: service.url,
    token: plaintext,
    seed: 2,
    fuzzRuns: 20,
    timeMs: timeout,
  });
  expect(report.failures, toSummary(report)).toEqual([]);
  // Only a login gives a refresh token.
  expect(report.notes).toEqual([
    ...STREAMS,
    expect.stringMatching(/^the run's credential may not call refreshSession: 401×\d+$/),
  ]);
  expect(report).toMatchObject({ held: true, complete: true });
  expect((await getMe({ client: service.as(plaintext) })).response.status).toBe(200);
  expect((await service.admin()).email).toBe(ADMIN.email);
});

test('a tag or an operationId narrows the run', async () => {
  const service = await startService({ now });
  const one = await testContract({ url: service.url, login, seed: 3, only: 'getAccessToken' });
  expect(one.operations.map(({ operation }) => operation)).toEqual(['getAccessToken']);
  const tag = await testContract({ url: service.url, login, seed: 3, only: 'Service' });
  expect(tag.operations.map(({ operation }) => operation)).toEqual([
    'getHealth',
    'getReadiness',
    'getOpenApiJson',
    'getOpenApiYaml',
  ]);
  expect([...one.failures, ...tag.failures]).toEqual([]);
});
