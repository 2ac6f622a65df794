import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';
import { expect, test } from 'vitest';

const BOUND = 8_192;

/** What an application's bundler makes for browsers of a module with this text, minified. */
async function bundle(text: string): Promise<string> {
  const entry = join(process.cwd(), 'entry.js');
  const { output } = await build({
    input: entry,
    plugins: [
      { name: 'entry', load: (id) => (id === entry ? text : null), resolveId: (id) => (id === entry ? id : null) },
    ],
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    output: { format: 'esm', minify: true },
  });
  return output
    .map((file) => (file.type === 'chunk' ? file.code : ''))
    .join('')
    .trim();
}

test(`the whole client is under ${String(BOUND)} bytes for a browser, compressed`, async () => {
  const whole = await bundle("export * from '@latchkey/client'");
  const { length } = gzipSync(whole, { level: 9 });
  process.stdout.write(`@latchkey/client: ${String(whole.length)} bytes minified, ${String(length)} bytes gzip\n`);
  expect(length).toBeLessThan(BOUND);
  expect(whole).toContain('createLatchkey');
  expect(whole).not.toMatch(/\bimport\b|\brequire\b|\bprocess\.|\bBuffer\b/);
});

test('the middleware needs nothing of Node, and the client nothing of it', async () => {
  const middleware = await bundle("export * from '@latchkey/client/middleware'; export * from '@latchkey/client/hono'");
  const { length } = gzipSync(middleware, { level: 9 });
  process.stdout.write(
    `@latchkey/client/middleware: ${String(middleware.length)} bytes minified, ${String(length)} bytes gzip\n`,
  );
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
