import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, send } from '../support/http.js';
import { type Service, startService } from '../support/service.js';

const CONSOLE = '<!doctype html><title>the console</title>';
const SCRIPT = `// ${'a script '.repeat(50)}`;
const REFERENCE = '<!doctype html><title>the reference</title>';
const SCRIPT_PATH = '/console/assets/app-Ab12Cd34.js';
const HTML = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const SECURITY = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

let folder: string;
let service: Service;
const cleanUps: (() => Promise<void>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-pages-'));
  const files = {
    'console/index.html': CONSOLE,
    'console/assets/app-Ab12Cd34.js': SCRIPT,
    'console/assets/app-Ab12Cd34.js.br': brotliCompressSync(SCRIPT),
    'console/assets/app-Ab12Cd34.js.gz': gzipSync(SCRIPT),
    'console/assets/app-Ab12Cd34.js.map': '{}',
    'console/assets/picture-1.png': 'PNG',
    'reference/index.html': REFERENCE,
    'reference/index.html.gz': gzipSync(REFERENCE),
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  service = await startService({ pagesFolder: folder }, (cleanUp) => cleanUps.push(cleanUp));
});

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
  await rm(folder, { recursive: true, force: true });
});

/** The bytes as they are sent: `fetch` would decompress them. */
function rawOf({ headers, text }: Answer): { type: unknown; encoding: unknown; length: number } {
  return {
    type: headers['content-type'],
    encoding: headers['content-encoding'],
    length: Number(headers['content-length'] ?? text.length),
  };
}

describe('a page', () => {
  test.each([
    ['the console', '/console', CONSOLE],
    ['the console with a slash', '/console/', CONSOLE],
    ['an address inside the console', '/console/tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b?tab=history', CONSOLE],
    ['the reference', '/reference', REFERENCE],
  ])('%s is HTML that is asked for anew each time', async (_, path, text) => {
    const answer = await send(service, `GET ${path}`);
    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers).toMatchObject({
      ...SECURITY,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      vary: 'Accept-Encoding',
    });
    const { etag = '' } = answer.headers;
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    for (const sent of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await send(service, `GET ${path}`, { headers: { 'If-None-Match': sent } });
      expect(again, sent).toMatchObject({ status: 304, text: '', headers: { etag, ...SECURITY } });
      expect(again.headers['content-length']).toBeUndefined();
    }
    expect((await send(service, `GET ${path}`, { headers: { 'If-None-Match': '"other"' } })).status).toBe(200);
  });

  test('a file with a hash in its name is kept for ever', async () => {
    const { status, headers, text } = await send(service, `GET ${SCRIPT_PATH}`);
    expect({ status, text }).toEqual({ status: 200, text: SCRIPT });
    expect(headers).toMatchObject({
      ...SECURITY,
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect((await send(service, 'GET /console/assets/picture-1.png')).headers['content-type']).toBe('image/png');
  });

  test.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0.2, gzip;q=0.9', 'gzip'],
    ['gzip', 'gzip'],
    ['BR', 'br'],
    ['*', 'br'],
    ['*;q=0.5, br;q=0', 'gzip'],
    ['identity, gzip;q=0.5', undefined],
    ['gzip;q=0, br;q=0', undefined],
    ['zstd', undefined],
    ['br;q=nonsense', undefined],
  ])('is sent to a client with Accept-Encoding %j as %j', async (accepted, encoding) => {
    const length = { br: brotliCompressSync(SCRIPT).length, gzip: gzipSync(SCRIPT).length, none: SCRIPT.length };
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(service, `${method} ${SCRIPT_PATH}`, { headers: { 'Accept-Encoding': accepted } });
      expect(rawOf(answer)).toEqual({
        type: 'text/javascript; charset=utf-8',
        encoding,
        length: length[(encoding ?? 'none') as keyof typeof length],
      });
      expect(answer.headers.vary).toBe('Accept-Encoding');
      if (method === 'HEAD') expect(answer.text).toBe('');
    }
  });

  test('has an ETag for each encoding, and is sent as it is where compressing does not make it smaller', async () => {
    const tags = await Promise.all(
      ['br', 'gzip', 'identity'].map(async (accepted) => {
        const { headers } = await send(service, `GET ${SCRIPT_PATH}`, { headers: { 'Accept-Encoding': accepted } });
        return headers.etag;
      }),
    );
    expect(new Set(tags).size).toBe(3);
    const { headers } = await send(service, 'GET /reference', { headers: { 'Accept-Encoding': 'br' } });
    expect(headers['content-encoding']).toBeUndefined();
  });

  test('answers GET, HEAD and OPTIONS alone', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE']) {
      expect(await send(service, `${method} /console`), method).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD, OPTIONS' },
        body: { code: 'method_not_allowed' },
      });
    }
    expect(await send(service, 'OPTIONS /reference')).toMatchObject({
      status: 204,
      headers: { allow: 'GET, HEAD, OPTIONS' },
    });
  });

  test.each([
    '/console/assets/none.js',
    '/console/assets/app-Ab12Cd34.js.br',
    '/console/assets/app-Ab12Cd34.js.map',
    '/console/assets/',
    '/console/assets/../../index.html',
    '/consoles',
    '/Console',
    '/reference/none',
    '/reference/index.html',
    '/%63onsole',
    '/../package.json',
  ])('is not at %s', async (path) => {
    expect(await send(service, `GET ${path}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('the root', () => {
  test('sends browsers to the console', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(service, `${method} /`, { headers: HTML });
      expect(answer).toMatchObject({ status: 302, text: '', headers: { location: '/console', vary: 'Accept' } });
    }
  });

  test.each([undefined, '*/*', 'application/json', 'text/html;q=0', 'application/json, text/html;q=0.5'])(
    'has nothing for a client with Accept %j',
    async (accepted) => {
      const answer = await send(service, 'GET /', { headers: { Accept: accepted } });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' }, headers: { vary: 'Accept' } });
    },
  );
});

test.each([
  ['LATCHKEY_CONSOLE=false', () => ({ pagesFolder: folder, console: false }), 0],
  ['a build without pages', () => ({ pagesFolder: join(folder, 'none') }), 1],
])('with %s there is nothing that another unknown path would not have', async (_, options, warnings) => {
  const without = await startService(options());
  const unknown = await send(without, 'GET /nowhere', { headers: HTML });
  const paths = ['/', '/console', '/console/', '/console/tokens', SCRIPT_PATH, '/reference'];
  for (const line of [...paths.map((path) => `GET ${path}` as const), 'POST /console', 'OPTIONS /console'] as const) {
    const { status, headers, body } = await send(without, line, { headers: HTML });
    expect({ status, body, headers: Object.keys(headers) }, line).toEqual({
      status: 404,
      body: unknown.body,
      headers: Object.keys(unknown.headers),
    });
  }
  expect(without.log.filter((line) => line.includes('npm run build makes them'))).toHaveLength(warnings);
});

test('the pages that the build made are served compressed, and are no part of the contract', async () => {
  const built = await startService();
  const answer = await send(built, 'GET /reference', { headers: { 'Accept-Encoding': 'gzip, br' } });
  expect(answer).toMatchObject({ status: 200, headers: { 'content-encoding': 'br' } });
  expect((await send(built, 'GET /openapi.yaml')).text).not.toMatch(/^ {2}\/(console|reference)/m);
});
