import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundle } from '../support/bundle.js';

const BOUND = 9_728;

test(`the whole client is under ${String(BOUND)} bytes for a browser, compressed`, async () => {
  const whole = await bundle("export * from '@latchkey/client'");
  const { length } = gzipSync(whole, { level: 9 });
  expect(length).toBeLessThan(BOUND);
  expect(whole).toContain('createLatchkey');
  expect(whole).not.toMatch(/\bimport\b|\brequire\b|\bprocess\.|\bBuffer\b/);
});

test('the middleware needs nothing of Node, and the client nothing of it', async () => {
  const middleware = await bundle("export * from '@latchkey/client/middleware'; export * from '@latchkey/client/hono'");
  const { length } = gzipSync(middleware, { level: 9 });
  expect(length).toBeLessThan(10_240);
  expect(middleware).not.toMatch(/\bimport\b|\brequire\b|\bBuffer\b/);
  expect(await bundle("export * from '@latchkey/client'")).not.toContain('cacheSeconds');
  expect(await bundle("import '@latchkey/client/middleware'")).toBe('');
});

test('a bundler keeps of it what is used', async () => {
  expect(await bundle("import '@latchkey/client'")).toBe('');
  const error = await bundle("import { LatchkeyError } from '@latchkey/client'; console.log(LatchkeyError)");
  expect(error).not.toContain('/api/v1');
  expect(error.length).toBeLessThan(1_000);
});
