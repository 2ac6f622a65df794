import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Laws, testContract, toSummary } from '../../contract/index.js';
import { openUsers, startServer } from '../../server/index.js';
import { createLog } from '../../server/log/log.js';
import { FIRST } from './proxied/first.js';
import { hunt, type Parts } from './proxied/hunt.js';
import { type Fault, templatesOf } from './proxied/proxy.js';
import { SECOND } from './proxied/second.js';
import { THIRD } from './proxied/third.js';

// Faults between the contract tests and our own service: a part of what `npm run planted` plants.

const read = (file: string): unknown => parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
const { laws } = read('openapi.laws.yaml') as { laws: Laws };

const parts: Parts = {
  startServer,
  openUsers,
  testContract,
  templates: templatesOf(read('openapi.yaml') as Parameters<typeof templatesOf>[0]),
  log: createLog('silent', { write: () => undefined }),
};

/** Faults, and the operations of which one is told of: which check comes first is of no matter. */
const PLANTED: [name: string, faults: Record<string, () => Fault>, operations: string][] = [
  ['Location of a new token leads nowhere', FIRST, 'getAccessToken createAccessToken'],
  ['a name is normalised to NFC', FIRST, 'createPrivateToken createAccessToken updateAccessToken'],
  ['30 days are 365', FIRST, 'getAccessToken createAccessToken'],
  ['an edit makes a token as new', FIRST, 'updateAccessToken'],
  ['a rotation renames the token', FIRST, 'rotateAccessToken'],
  ['many are revoked in a dry run by default', FIRST, 'revokeAccessTokens'],
  ['private: a second revocation is 204', SECOND, 'revokePrivateToken'],
  ['rotate: the name is lost', SECOND, 'rotateAccessToken'],
  ['verify: scopes are not looked at', SECOND, 'verifyAccessToken verifyAccessTokens'],
  ['logging out leaves the cookie in the browser', THIRD, 'logOut'],
  ['the token in use has no ETag', THIRD, 'getCurrentAccessToken'],
];

test.each(PLANTED)('finds by a whole run: %s', { timeout: 120_000 }, async (name, faults, operations) => {
  const plant = faults[name];
  expect(plant).toBeDefined();
  const { found, report } = await hunt(parts, plant?.() ?? {}, { laws });
  expect(operations.split(' '), toSummary(report)).toContain(found?.operation);
});
