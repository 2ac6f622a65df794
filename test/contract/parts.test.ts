import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Check, type Laws, testContract, toSummary } from '../../contract/index.js';
import { openUsers, startServer } from '../../server/index.js';
import { createLog } from '../../server/log/log.js';
import { FIRST } from './proxied/first.js';
import { type Ground, openGround } from './proxied/hunt.js';
import { templatesOf } from './proxied/proxy.js';

// Faults between the contract tests and our own service, each found by the one check that is for it, in the run of one operation.

const read = (file: string): unknown => parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
const { laws } = read('openapi.laws.yaml') as { laws: Required<Laws> };
const { practices, headers, constants, filters, sorts, undoes, refusals } = laws;

let ground: Ground;
beforeAll(async () => {
  ground = await openGround({
    startServer,
    openUsers,
    testContract,
    templates: templatesOf(read('openapi.yaml') as Parameters<typeof templatesOf>[0]),
    log: createLog('silent', { write: () => undefined }),
  });
});
afterAll(() => ground.close());

/** Faults, the operation that shows each, the check that finds it, what is told, and the laws if not only the practices. */
const FAULTS: [fault: string, only: string, check: Check, message: RegExp, laws?: Laws][] = [
  ['Location of a new token is on another host', 'createAccessToken', 'location', /leads to another origin/],
  ['getting a token gives that of the request', 'getAccessToken', 'sequence', /^id, .* differ from the answer that/],
  ['a new token loses its description', 'createAccessToken', 'echo', /^description in the answer differs/],
  ['the zone of an instant is lost', 'createPrivateToken', 'echo', /^expiration_time in the answer differs/],
  ['a new description clears the metadata', 'updateAccessToken', 'unchanged', /metadata in the answer has changed/],
  ['the list cuts names', 'createAccessToken', 'sequence', /^name in the list differs from the fetched thing/],
  ['the list is a second behind', 'createAccessToken', 'sequence', /in the list differs from the fetched thing/],
  ['a fault names another member', 'createAccessToken', 'place', /does not name the member that is wrong/],
  ['an answer says that it is Latin-1', 'getMe', 'content-type', /is JSON in iso-8859-1/],
  ['a request that says UTF-8 is refused', 'createAccessToken', 'acceptance', /charset=UTF-8 gets 415/],
  ['HEAD needs no credential', 'getMe', 'authentication', /^HEAD of a resource without a credential gets 200/],
  ['HEAD is 405 on lists', 'listAccessTokens', 'head', /^HEAD is not served where GET is/],
  ['HEAD lacks the entity tag', 'getAccessToken', 'head', /^etag of HEAD differs/],
  ['OPTIONS lacks Allow', 'getMe', 'head', /^OPTIONS comes without Allow/],
  ['Allow of OPTIONS lacks DELETE', 'getAccessToken', 'head', /^Allow of OPTIONS lacks DELETE/],
  ['TRACE tells what was sent', 'getMe', 'secrets', /TRACE contains the credential/],
  ['q is ignored', 'listAccessTokens', 'law', /the filter q returns rows/, { filters }],
  ['createdAfter is ignored', 'listAccessTokens', 'filter', /^createdAfter returns rows that do not match/],
  ['neverUsed is turned around', 'listAccessTokens', 'law', /the filter neverUsed returns rows/, { filters }],
  ['expiresAt orders by createdAt', 'listAccessTokens', 'law', /does not sort by expiresAt/, { sorts }],
  ['the next page forgets q', 'listPrivateTokens', 'paging', /^next omits the parameter q/],
  ['there is no previous page', 'listPrivateTokens', 'paging', /^a page after the first has no previous page/],
  ['the previous page is the next', 'listPrivateTokens', 'paging', /^previous does not lead to the page before/],
  ['a token in the query opens', 'getMe', 'authentication', /in the query as access_token is accepted/],
  ['any scheme word opens', 'getMe', 'authentication', /with the scheme Token is accepted/],
  ['bearer in lower case is refused', 'getMe', 'authentication', /^bearer in lower case gets 401/],
  ['of two credentials the first counts', 'getMe', 'authentication', /^a valid bearer and an invalid apiKey get 200/],
  ['a bad body is told before the credential', 'createAccessToken', 'authentication', /^an invalid body without/],
  ['an unknown id is told before the credential', 'getAccessToken', 'authentication', /^an unknown id without/],
  ['tokens:read is not looked at', 'getAccessToken', 'scopes', /^a credential without tokens:read gets 200/],
  ['what a token creates may be wider', 'createAccessToken', 'scopes', /without tokens:\w+ creates one with it/],
  ["others count one's private tokens", 'listPrivateTokens', 'isolation', /^count counts what another identity/],
  ["others edit one's token", 'updateAccessToken', 'isolation', /^another identity changes a thing/],
  ["others revoke one's token", 'revokeAccessToken', 'isolation', /^another identity changes a thing/],
  ["another's id is told from an unknown one", 'getAccessToken', 'isolation', /gets 403, but an unknown id gets 404/],
  ['anybody lists users', 'listUsers', 'isolation', /^another identity lists a thing/],
  ['two editors at once both win', 'updateAccessToken', 'precondition', /with one entity tag both succeed/],
  ['a dry run revokes', 'revokeAccessTokens', 'bulk', /^a dry run changes something/],
  ['ids revoke one token more', 'revokeAccessTokens', 'bulk', /./],
  ['revokedCount is one too many', 'revokeAccessTokens', 'bulk', /^revokedCount is a wrong count/],
  ['a filter revokes nothing', 'revokeAccessTokens', 'bulk', /whose filter matches a thing does not change it/],
  ['an edit makes a token as new', 'updateAccessToken', 'law', /createdAt has changed/, { constants }],
  ['what is disabled stays so', 'updateAccessToken', 'law', /does not undo/, { undoes }],
  ['a new password leaves the sessions', 'updateUser', 'law', /after updateUser a credential still gets/, { refusals }],
  [
    'a revocation takes half a second',
    'revokeAccessToken',
    'law',
    /after revokeAccessToken a credential still gets/,
    { refusals: [{ after: 'revokeAccessToken', of: 'createAccessToken', withinMs: 100 }] },
  ],
  ['nosniff is missing', 'getMe', 'law', /an answer lacks X-Content-Type-Options/, { headers }],
];

test.each(FAULTS)('finds: %s', { timeout: 60_000 }, async (fault, only, check, message, own = { practices }) => {
  const plant = FIRST[fault];
  expect(plant).toBeDefined();
  const { report } = await ground.hunt(plant?.() ?? {}, { only, checks: [check], laws: own, fuzzRuns: 1 });
  const told = report.failures.filter((each) => each.check === check && message.test(each.message));
  expect(told.length, toSummary(report)).toBeGreaterThan(0);
});
