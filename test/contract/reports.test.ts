import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { type ContractReport, toHtml, toJUnit, toSummary } from '../../contract/index.js';
import { hasBrowser, startBrowser } from '../support/browser.js';
import { newFolder } from '../support/process.js';
import type { SmallRequest } from './planted/small.js';
import { body, document as specOf, tested } from './small/document.js';

// What a report looks like to those who open it, and that no answer of a server breaks it.

/** What a server may answer, in the hope that it does something to whoever reads the report. */
const HOSTILE = `]]></failure><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">\u0000\u001b[2J\u0007\uFFFE&amp;'"`;

const text = { type: 'string', maxLength: 20 };
const refusals = { 400: body({}), 404: body({}), 405: { description: 'no' } };
const long = 'a-word-that-has-no-end-'.repeat(20);

/** A document with many operations, one of which has a name that is as hostile as an answer. */
const spec = specOf(
  Object.fromEntries([
    ['/things/<b>', { get: { operationId: '<script>get</script>]]>', responses: { ...refusals, 200: body({}) } } }],
    [
      '/slow',
      { get: { operationId: 'getSlowly', responses: { ...refusals, 200: body({}), 429: body({}), 503: body({}) } } },
    ],
    [
      '/long',
      {
        post: {
          operationId: 'putLong',
          requestBody: { required: true, ...body({ type: 'object', required: ['v'], properties: { v: text } }) },
          responses: { ...refusals, 200: body({ type: 'object', required: ['v'] }), 409: body({}) },
        },
      },
    ],
    [
      '/fine',
      { get: { operationId: 'getFine', tags: ['Fine'], responses: { ...refusals, 200: body({ type: 'object' }) } } },
    ],
    ['/never', { get: { operationId: 'getNever', responses: { ...refusals, 200: body({}) } } }],
  ]),
);

async function answer({ path }: SmallRequest) {
  if (path === '/slow') {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { status: 200, body: {} };
  }
  if (path === '/long') return { status: 200, body: { [long]: HOSTILE } };
  if (path === '/fine') return { status: 200, body: {} };
  if (path === '/never') return { status: 404, body: {} };
  return {
    status: 200,
    body: HOSTILE,
    headers: { 'Content-Type': `text/html; a="<b>"` },
  };
}

const broken = () => tested(spec, answer, { fuzzRuns: 3, allowIncomplete: true });
const held = () => tested(spec, answer, { fuzzRuns: 3, only: 'Fine' });

async function open(browser: Browser, report: ContractReport, command?: string): Promise<Page> {
  const file = join(await newFolder(), 'report.html');
  await writeFile(file, toHtml(report, command === undefined ? {} : { command }));
  const page = await browser.newPage();
  await page.goto(pathToFileURL(file).href);
  return page;
}

test('each suite of JUnit has the time of its requests, and all of them no more than the run', async () => {
  const report = await broken();
  const xml = toJUnit(report);
  const times = new Map(
    [...xml.matchAll(/<testsuite name="([^"]+)"[^>]* time="([\d.]+)"/g)].map(([, name = '', time]) => [
      name,
      Number(time),
    ]),
  );
  expect(times.size).toBe(5);
  expect(times.get('getSlowly')).toBeGreaterThan(0.02 * 5);
  const slowly = report.operations.find(({ operation }) => operation === 'getSlowly');
  expect(times.get('getSlowly')).toBeCloseTo((slowly?.durationMs ?? 0) / 1_000, 2);
  const sum = [...times.values()].reduce((total, time) => total + time, 0);
  expect(sum).toBeLessThanOrEqual(report.durationMs / 1_000 + 0.01);
  expect(xml).toMatch(/<testcase classname="getSlowly" name="keeps the contract" time="0\.\d{3}"\/>/);
});

test.skipIf(!hasBrowser)('no answer breaks a report, or does anything in it', { timeout: 60_000 }, async () => {
  const report = await broken();
  const browser = await startBrowser();
  const page = await open(browser, report);
  const seen = await page.evaluate((xml) => {
    const parsed = new DOMParser().parseFromString(xml, 'application/xml');
    return {
      hacked: 'hacked' in window,
      scripts: document.querySelectorAll('script, img, link, iframe').length,
      text: document.body.textContent,
      parsererror: parsed.querySelector('parsererror')?.textContent ?? 'none',
      suites: [...parsed.querySelectorAll('testsuite')].map((suite) => suite.getAttribute('name')),
      failures: [...parsed.querySelectorAll('failure')].map((failure) => failure.textContent),
    };
  }, toJUnit(report));
  expect(seen).toMatchObject({ hacked: false, scripts: 0, parsererror: 'none' });
  expect(seen.suites).toContain('<script>get</script>]]>');
  expect(seen.failures.length).toBe(report.failures.length);
  expect(seen.failures.join('\n')).toContain('<script>window.hacked = 1</script>');
  expect(seen.text).toContain('<script>get</script>]]>');
  expect(JSON.parse(JSON.stringify(report))).toMatchObject({ failures: report.failures });
});

test.skipIf(!hasBrowser)('the page opens with the verdict, and fits any window', { timeout: 60_000 }, async () => {
  const browser = await startBrowser();
  const faulty = await broken();
  expect(faulty.failures.length, toSummary(faulty)).toBeGreaterThan(2);
  for (const [report, verdict] of [
    [faulty, /^Small 1.* breaks the contract in \d+ ways/s],
    [await held(), /^Small 1.* keeps the contract/s],
  ] as const) {
    const page = await open(browser, report, 'latchkey contract --url http://127.0.0.1:3000');
    for (const width of [320, 600, 1_280]) {
      for (const scheme of ['light', 'dark']) {
        await page.setViewport({ width, height: 900 });
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        const look = await page.evaluate(() => ({
          text: document.body.innerText.replace(/^\W+/, ''),
          overflow: document.documentElement.scrollWidth - window.innerWidth,
          headings: [...document.querySelectorAll('h1, h2')].map((heading) => heading.textContent),
          ink: getComputedStyle(document.body).color,
          paper: getComputedStyle(document.body).backgroundColor,
        }));
        expect(look.text).toMatch(verdict);
        expect(look.overflow, `${String(width)} ${scheme}`).toBeLessThanOrEqual(0);
        expect(look.headings[1]).toBe('Operations and their statuses');
        expect(look.ink).not.toBe(look.paper);
        if (process.env['SHOTS'] !== undefined)
          await page.screenshot({
            path: `${process.env['SHOTS']}/${report.held ? 'held' : 'broken'}-${String(width)}-${scheme}.png`,
            fullPage: true,
          });
      }
    }
  }
});
