import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Document, endpointsOf } from '../../web/reference/document.js';
import { referencePage } from '../../web/reference/page.js';
import { findingsInLooks, hasBrowser, LOOKS, openTab, overflowOf, showAs, startBrowser } from '../support/browser.js';
import { send } from '../support/http.js';
import { type Service, startService } from '../support/service.js';

const run = promisify(execFile);
const document = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as Document;
const operations = [...endpointsOf(document.paths), ...endpointsOf(document.webhooks)].map(
  ({ operation }) => operation,
);
const { schemas } = document.components;

const cleanUps: (() => Promise<void>)[] = [];
let service: Service;
let page: string;

beforeAll(async () => {
  service = await startService({}, (cleanUp) => cleanUps.push(cleanUp));
  page = (await send(service, 'GET /reference')).text;
});

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

function all(pattern: RegExp, text = page): string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found);
}

test('the page has a place for each operation, schema and error code, and each link to a place leads there', () => {
  const places = all(/ id="([^"]*)"/g);
  expect(new Set(places).size).toBe(places.length);
  expect(operations.length).toBeGreaterThan(40);
  expect(places).toEqual(expect.arrayContaining(operations.map(({ operationId }) => operationId)));
  expect(places).toEqual(expect.arrayContaining(Object.keys(schemas).map((name) => `schema-${name}`)));
  expect(places).toEqual(
    expect.arrayContaining(schemas['ErrorCode']?.enum?.map((code) => `error-${String(code)}`) ?? []),
  );
  const links = all(/ href="#([^"]*)"/g);
  expect(links.length).toBeGreaterThan(1_000);
  expect([...new Set(links)].filter((link) => !places.includes(link))).toEqual([]);
});

test('each link to another page of the service leads to one', async () => {
  const paths = new Set(all(/ (?:href|src)="(\/[^"]*)"/g));
  expect([...paths]).toContain('/openapi.yaml');
  for (const path of paths) expect((await send(service, `GET ${path}`)).status, path).toBe(200);
});

test('each operation has its parameters, what it takes and answers, its codes and a command', () => {
  for (const { operationId, parameters = [], responses } of operations) {
    const [section = ''] = all(new RegExp(`<article id="${operationId}"(.*?)</article>`, 'gs'));
    for (const parameter of parameters) {
      const name =
        '$ref' in parameter ? document.components.parameters[parameter.$ref.split('/')[3] ?? '']?.name : parameter.name;
      expect(section, operationId).toContain(`<code class="name">${String(name)}</code>`);
    }
    expect(all(/<span class="status \w+">(\d+)</g, section), operationId).toEqual(Object.keys(responses));
    if (responses['401'] !== undefined && section.includes('/api/v1/access-tokens')) {
      expect(section, operationId).toContain('href="#error-unauthorized"');
    }
    if (operationId !== 'receiveEvent') expect(section, operationId).toContain('<pre><code>curl ');
  }
});

test('a tree shows the members of members', () => {
  const [section = ''] = all(/<article id="createAccessToken"(.*?)<\/article>/gs);
  const [request = '', answer = ''] = section.split('<h4>Answers</h4>');
  expect(request).toMatch(/<code class="name">name<\/code>.{0,99}required/s);
  expect(answer).not.toContain('class="required"');
  expect(section).toMatch(/<summary>Members of AccessToken<\/summary>.*<code class="name">previousSecret<\/code>/s);
});

test('the page has no script and no style but its file, and shows HTML of the document as text', () => {
  expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
  const hostile = '<img src=x onerror=alert(1)> & **bold** `<b>`';
  const text = referencePage(
    {
      ...document,
      info: { ...document.info, title: hostile, description: hostile },
      components: {
        ...document.components,
        schemas: { ...schemas, Instant: { ...schemas['Instant'], description: hostile } },
      },
    },
    '/style.css',
  );
  expect(text).not.toMatch(/<img|<b>/);
  expect(text).toContain(
    '<p>&lt;img src=x onerror=alert(1)&gt; &amp; <strong>bold</strong> <code>&lt;b&gt;</code></p>',
  );
  expect(all(/ id="schema-Instant"(.*?)<\/article>/gs, text)[0]).toContain('&lt;img src=x');
});

test('the page takes 50 kB on the wire, its style 5 kB', async () => {
  const [stylesheet = ''] = all(/<link rel="stylesheet" href="([^"]*)"/g);
  const style = (await send(service, `GET ${stylesheet as `/${string}`}`)).text;
  const sizes = { page: brotliCompressSync(page).length, gzip: gzipSync(page).length, style: gzipSync(style).length };
  expect(sizes.page, JSON.stringify(sizes)).toBeLessThan(50_000);
  expect(sizes.gzip, JSON.stringify(sizes)).toBeLessThan(120_000);
  expect(sizes.style, JSON.stringify(sizes)).toBeLessThan(5_000);
});

test('its commands are accepted by the service', async () => {
  const { token } = await service.admin();
  const entities: Record<string, string> = { '&quot;': '"', '&#39;': "'", '&lt;': '<', '&gt;': '>', '&amp;': '&' };
  for (const id of [
    'createAccessToken',
    'listAccessTokens',
    'createPrivateToken',
    'introspectToken',
    'getHealth',
    'listUsers',
  ]) {
    const [section = ''] = all(new RegExp(`<article id="${id}"(.*?)</article>`, 'gs'));
    const [command = ''] = all(/<pre><code>(curl .*?)<\/code>/gs, section);
    const script = `${command.replace(/&#?\w+;/g, (entity) => entities[entity] ?? entity)} -s -o /dev/null -w '%{http_code}'`;
    const { stdout } = await run('sh', ['-c', script], {
      env: { PATH: process.env['PATH'], URL: service.url, TOKEN: token },
    });
    expect(stdout, script).toMatch(/^2\d\d$/);
  }
});

test.skipIf(!hasBrowser)('a browser finds no fault with it in any look', { timeout: 120_000 }, async () => {
  const { page: tab, faults } = await openTab(await startBrowser());
  await tab.goto(`${service.url}/reference#createAccessToken`);
  const isShown = "document.querySelector('#createAccessToken h3').getBoundingClientRect().top < innerHeight";
  expect(await tab.evaluate(isShown)).toBe(true);
  await tab.evaluate(
    "for (const closed of document.querySelectorAll('#createAccessToken details')) closed.open = true",
  );
  for (const look of LOOKS) {
    await showAs(tab, look);
    expect(await overflowOf(tab), JSON.stringify(look)).toBe(0);
  }
  // axe takes many seconds for the whole page, so that one section of each kind stands for the others.
  await tab.evaluate(`
    for (const section of document.querySelectorAll('article, .codes > li')) {
      if (!['createAccessToken', 'schema-AccessToken', 'error-not_found'].includes(section.id)) section.remove();
    }
  `);
  expect(await findingsInLooks(tab)).toEqual([]);
  await tab.goto(`${service.url}/reference`);
  await tab.keyboard.press('Tab');
  expect(await tab.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
  await tab.keyboard.press('Enter');
  expect(await tab.evaluate('location.hash')).toBe('#content');
  expect(faults).toEqual([]);
});
