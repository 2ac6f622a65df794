import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const BOUND = 8_192;

/** What an application's bundler makes for browsers of a module with this text, minified. */
async function bundle(text: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: process.cwd(), loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles.map((file) => file.text).join('');
}

test(`the whole client is under ${String(BOUND)} bytes for a browser, compressed`, async () => {
  const whole = await bundle("export * from '@latchkey/client'");
  const { length } = gzipSync(whole, { level: 9 });
  process.stdout.write(`@latchkey/client: ${String(whole.length)} bytes minified, ${String(length)} bytes gzip\n`);
  expect(length).toBeLessThan(BOUND);
  expect(whole).toContain('createLatchkey');
  expect(whole).not.toMatch(/\bimport\b|\brequire\b|\bprocess\.|\bBuffer\b/);
});

test('a bundler keeps of it what is used', async () => {
  expect(await bundle("import '@latchkey/client'")).toBe('');
  const error = await bundle("import { LatchkeyError } from '@latchkey/client'; console.log(LatchkeyError)");
  expect(error).not.toContain('/api/v1');
  expect(error.length).toBeLessThan(1_000);
});
