import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Laws, testContract, toSummary } from '../../contract/index.js';
import { openUsers, startServer } from '../../server/index.js';
import { createLog } from '../../server/log/log.js';
import { FIRST } from './proxied/first.js';
import { hunt, type Parts } from './proxied/hunt.js';
import { templatesOf } from './proxied/proxy.js';
import { SECOND } from './proxied/second.js';

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

test.each([
  ['Location of a new token leads nowhere', FIRST, 'location'],
  ['a name is normalised to NFC', FIRST, 'echo'],
  ['30 days are 365', FIRST, 'sequence'],
  ['an edit makes a token as new', FIRST, 'law'],
  ['a rotation renames the token', FIRST, 'unchanged'],
  ['getting a token is a second behind', FIRST, 'sequence'],
  ['many are revoked in a dry run by default', FIRST, 'bulk'],
  ['rotate: the name is lost', SECOND, 'unchanged'],
])('finds by a whole run: %s', { timeout: 120_000 }, async (name, faults, check) => {
  const { found, report } = await hunt(parts, faults[name]?.() ?? {}, { laws });
  expect(found?.check, toSummary(report)).toBe(check);
});
