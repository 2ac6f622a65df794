import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccessToken, getAccessToken, listWebhooks, revokeAccessToken } from '../../generated/index.js';
import { axeFindings, findingsInLooks, hasBrowser, openTab, startBrowser, type Tab } from '../support/browser.js';
import { expectText, faultsOf, logInAt, press, tabTo, textOf } from '../support/console.js';
import { send } from '../support/http.js';
import { isSigned, startReceiver } from '../support/receiver.js';
import { answered, type Client, type Service, startService } from '../support/service.js';
import { change } from '../support/store.js';

// The pages of the console for administrators: events, webhooks and the policy.

const HOSTILE = '<img src=x onerror=alert(1)>';
const NOW = { now: () => Date.now() };
const POLICY = { maxLifetimeDays: 90, requireExpiry: true, webhookAllow: ['127.0.0.0/8'] };

const cleanUps: (() => Promise<unknown>)[] = [];
const whenDone = (cleanUp: () => Promise<unknown>): void => void cleanUps.unshift(cleanUp);
let service: Service;
let browser: Browser;
let client: Client;
let token: string;
/** Tokens from before the policy, which never expire. */
let older: string[];

beforeAll(async () => {
  if (!hasBrowser) return;
  const before = await startService(NOW, whenDone);
  const early = await before.admin();
  older = [];
  for (const name of ['deploy bot', HOSTILE, 'شرح']) {
    older.push((await answered(createAccessToken({ client: early.client, body: { name } }))).token.id);
  }
  await before.stop();
  service = await startService({ ...NOW, ...POLICY, database: before.database }, whenDone);
  const admin = await service.admin();
  ({ client, token } = admin);
  browser = await startBrowser(whenDone);
}, 60_000);

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

/** A tab of the administrator, at `path`. */
async function open(path: string): Promise<Tab> {
  const tab = await openTab(browser);
  await tab.page.setViewport({ width: 1280, height: 800 });
  await tab.page.goto(`${service.url}/console${path}`);
  await tab.page.waitForSelector('h1');
  if ((await tab.page.$('.frame')) === null) await logInAt(tab, service, path);
  return tab;
}

async function fill(page: Page, name: string, text: string): Promise<void> {
  await page.locator(`::-p-aria([name="${name}"])`).fill(text);
}

/** What the list of events shows, a line for each event. */
async function eventsOn(page: Page): Promise<string[]> {
  return (await page.evaluate(
    "[...document.querySelectorAll('.events > li > p:first-child')].map((each) => each.innerText)",
  )) as string[];
}

test.skipIf(!hasBrowser)(
  'events are filtered, opened, and found again by their address',
  { timeout: 60_000 },
  async () => {
    const { page, faults } = await open('/events');
    await expect.poll(() => eventsOn(page)).toContain(`Token created ${HOSTILE}`);
    expect(await page.$('main img')).toBe(null);

    await page.select('select', 'token.created');
    await expect
      .poll(() => eventsOn(page))
      .toEqual(['Token created شرح', `Token created ${HOSTILE}`, 'Token created deploy bot']);
    expect(page.url()).toMatch(/\/console\/events\?action=token\.created$/);
    await page.reload();
    await expect.poll(() => eventsOn(page)).toHaveLength(3);

    await page.locator('.events summary').click();
    await expectText(page, /Place in the chain\s+\d+\s+Hash\s+[0-9a-f]{64}/);
    await page.locator('.events .details a').click();
    await expect.poll(() => eventsOn(page)).toHaveLength(1);
    expect(page.url()).toContain('requestId=');
    await page.goBack();
    await expect.poll(() => eventsOn(page)).toHaveLength(3);

    await page.goto(`${service.url}/console/events?action=token.leaked`);
    await expectText(page, 'No events match');
    await press(page, 'Clear the filters');
    await expect.poll(() => eventsOn(page)).toContain('Token created deploy bot');
    expect(faults).toEqual([]);
    await page.close();
  },
);

test.skipIf(!hasBrowser)(
  'new events appear while one watches, and a filter keeps others away',
  { timeout: 60_000 },
  async () => {
    const { page, faults } = await open('/events');
    await press(page, 'Live');
    await expectText(page, 'Waiting for new events.');
    const streams = async () => (await send(service, 'GET /readyz')).body;
    await expect.poll(streams).toMatchObject({ eventStreams: 1 });
    const { token: made } = await answered(
      createAccessToken({ client, body: { name: 'made meanwhile', expiresInDays: 1 } }),
    );
    await expect.poll(async () => (await eventsOn(page))[0]).toBe('Token created made meanwhile');
    await expectText(page, 'New: Token created.');
    await page.select('select', 'token.revoked');
    await expectText(page, 'No events match');
    await answered(createAccessToken({ client, body: { name: 'kept away', expiresInDays: 1 } }));
    await revokeAccessToken({ client, path: { token_id: made.id } });
    await expect.poll(() => eventsOn(page)).toEqual(['Token revoked made meanwhile']);
    expect(faults).toEqual([]);
    await page.close();
  },
);

test.skipIf(!hasBrowser)('an export has all events, as the API exports them', { timeout: 60_000 }, async () => {
  const { page, faults } = await open('/events');
  await page.evaluate(`
    URL.createObjectURL = (blob) => { blob.text().then((text) => { globalThis.saved = text; }); return '#'; };
    URL.revokeObjectURL = () => {};
  `);
  await press(page, 'Export');
  await press(page, 'Download');
  await expectText(page, /Exported \d+ events\./);
  await expect
    .poll(() => page.evaluate('globalThis.saved'))
    .toBe((await send(service, 'GET /api/v1/audit-events/export?limit=10000', { token })).text);
  await expect.poll(() => page.$('dialog')).toBe(null);
  expect(faults).toEqual([]);
  await page.close();
});

test.skipIf(!hasBrowser)(
  'a webhook is created by keyboard alone, shows its secret once, and is tested',
  { timeout: 90_000 },
  async () => {
    const receiver = await startReceiver();
    const { page, faults } = await open('/webhooks');
    await expectText(page, 'No webhooks yet');
    expect(await axeFindings(page)).toEqual([]);
    await tabTo(page, 'New webhook');
    await page.keyboard.press('Enter');
    await tabTo(page, 'URL');
    await page.keyboard.type(`${receiver.url}/hook`);
    await tabTo(page, 'Description (optional)');
    await page.keyboard.type(HOSTILE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await tabTo(page, 'Token reported as leaked token.leaked');
    await page.keyboard.press('Space');
    await tabTo(page, 'Create webhook');
    await page.keyboard.press('Enter');
    await expectText(page, 'Copy the secret now');
    const secret = (await page.evaluate("document.querySelector('.copyable code').textContent")) as string;
    expect(secret).toMatch(/^whsec_/);
    await tabTo(page, 'Done');
    await page.keyboard.press('Enter');
    await expectText(page, 'No deliveries yet');
    expect(page.url()).toMatch(/\/console\/webhooks\/[0-9a-f-]{36}$/);
    const everywhere =
      'document.documentElement.outerHTML + JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state])';
    expect(await page.evaluate(everywhere)).not.toContain(secret);
    expect((await answered(listWebhooks({ client }))).items).toMatchObject([
      { url: `${receiver.url}/hook`, description: HOSTILE, eventTypes: ['token.leaked'] },
    ]);

    await tabTo(page, 'Send a test');
    await page.keyboard.press('Enter');
    await expectText(page, /Test Delivered[^]*?204, 1 attempt/);
    expect(receiver.received.map(({ event, path }) => [event.type, path])).toEqual([['webhook.test', '/hook']]);
    expect(receiver.received.every((each) => isSigned(each, secret))).toBe(true);
    await press(page, 'Send again: Test');
    await expect.poll(() => receiver.received).toHaveLength(2);
    await expectText(page, '2 attempts');

    await press(page, 'Rotate the secret');
    await page.locator('dialog .primary').click();
    await expectText(page, 'Copy the secret now');
    const second = (await page.evaluate("document.querySelector('.copyable code').textContent")) as string;
    expect(second).not.toBe(secret);
    await press(page, 'Done');
    await expectText(page, /Former secret\s+signs too until/);
    await press(page, 'Send a test');
    await expect.poll(() => receiver.received).toHaveLength(3);
    expect([secret, second].map((each) => receiver.received[2] && isSigned(receiver.received[2], each))).toEqual([
      true,
      true,
    ]);

    // As if its server had been down for a day.
    await expectText(page, 'Delivered', '.rows li:first-child');
    await change(service, "update webhook_deliveries set status = 'failed'");
    await press(page, 'Failed');
    await expectText(page, /Test Failed[^]*Test Failed/, '.rows');
    await press(page, 'Send failed ones again');
    await page.locator('dialog [type=submit]').click();
    await expect.poll(() => receiver.received).toHaveLength(5);
    await expectText(page, 'No deliveries with the status “failed”.');
    await press(page, 'All');
    await expectText(page, /Test Delivered[^]*Test Delivered/, '.rows');
    expect(faults).toEqual([]);
    await page.close();
  },
);

test.skipIf(!hasBrowser)(
  'a webhook is edited, disabled and deleted, and wrong input is told beside its field',
  { timeout: 90_000 },
  async () => {
    const tab = await open('/webhooks/new');
    const { page } = tab;
    await press(page, 'Create webhook');
    await expectText(page, 'Fill in this field.');
    await expect.poll(() => page.evaluate('document.activeElement.labels?.[0]?.textContent')).toBe('URL');
    await fill(page, 'URL', 'ftp://example.org');
    await press(page, 'Create webhook');
    await expectText(page, 'should be a URL in ASCII');
    await fill(page, 'URL', 'https://192.168.0.1/');
    await press(page, 'Create webhook');
    await expectText(page, /may not send to this address: .*\s+Request [\w-]+/);

    await fill(page, 'URL', 'http://127.0.0.1:9/closed');
    await press(page, 'Create webhook');
    await press(page, 'Done');
    await press(page, 'Edit');
    await fill(page, 'Description (optional)', 'nobody is there');
    await press(page, 'Save');
    await expectText(page, 'nobody is there');
    await press(page, 'Send a test');
    await expectText(page, /Test Waiting[^]*?no connection, 1 attempt, next/);
    await press(page, 'Disable');
    await expectText(page, 'An administrator disabled it.');
    expect((await answered(listWebhooks({ client }))).items.find(({ url }) => url.endsWith('/closed'))).toMatchObject({
      enabled: false,
      description: 'nobody is there',
    });
    await press(page, 'Delete');
    await page.locator('dialog .danger').click();
    await expect.poll(() => page.url()).toMatch(/\/console\/webhooks$/);
    await expect.poll(() => textOf(page)).not.toContain('/closed');
    expect((await answered(listWebhooks({ client }))).items.some(({ url }) => url.endsWith('/closed'))).toBe(false);
    expect(faultsOf(tab, /status of (409|422)/)).toEqual([]);
    await page.close();
  },
);

test.skipIf(!hasBrowser)('every page is without fault in every look', { timeout: 120_000 }, async () => {
  const { page, faults } = await open('/events');
  const [webhook] = (await answered(listWebhooks({ client }))).items;
  const pages: [string, () => Promise<void>][] = [
    ['/events?action=token.created', () => page.locator('.events summary').click()],
    ['/events', () => press(page, 'Export')],
    ['/events?action=token.leaked', () => expectText(page, 'No events match')],
    ['/webhooks', () => expectText(page, '/hook')],
    ['/webhooks/new', () => press(page, 'Only these', 'radio')],
    [`/webhooks/${String(webhook?.id)}`, () => expectText(page, 'Send again')],
    [`/webhooks/${String(webhook?.id)}`, () => press(page, 'Rotate the secret')],
    ['/policy', () => press(page, 'Show what would change')],
  ];
  for (const [path, open] of pages) {
    await page.goto(`${service.url}/console${path}`);
    await open();
    await page.waitForNetworkIdle({ idleTime: 200 });
    expect.soft({ path, findings: await findingsInLooks(page) }).toEqual({ path, findings: [] });
  }
  expect(faults).toEqual([]);
  await page.close();
});

test.skipIf(!hasBrowser)('the policy is tried first, and then does exactly that', { timeout: 60_000 }, async () => {
  const { page, faults } = await open('/policy');
  await expectText(page, /Longest lifetime\s+90 days/);
  await expectText(page, /3 tokens never expire, and have to/);
  expect(await page.evaluate("document.querySelector('main').innerText.includes('Apply to')")).toBe(false);
  await fill(page, 'Days until the first end', '400');
  await expectText(page, 'A whole number from 0 to 365.');
  await fill(page, 'Days until the first end', '60');
  await press(page, 'Show what would change');
  await expectText(page, '3 tokens would change');
  await expectText(page, HOSTILE);
  const expiries = async () =>
    Promise.all(
      older.map(async (token_id) => (await answered(getAccessToken({ client, path: { token_id } }))).expiresAt),
    );
  expect(await expiries()).toEqual([null, null, null]);

  // Other values are tried anew before they are applied.
  await fill(page, 'Days until the first end', '30');
  await expect.poll(() => textOf(page)).not.toContain('Apply to 3 tokens');
  await press(page, 'Show what would change');
  await press(page, 'Apply to 3 tokens');
  await page.locator('dialog .danger').click();
  await expectText(page, 'Changed 3 tokens.');
  await expectText(page, 'Every token follows the rules.');
  const days = (await expiries()).map((expiry) => Math.round((Date.parse(expiry ?? '') - Date.now()) / 86_400_000));
  expect(days.every((each) => each >= 30 && each <= 37)).toBe(true);
  expect(faults).toEqual([]);
  await page.close();
});

test.skipIf(!hasBrowser)('whoever is no administrator has none of these pages', { timeout: 60_000 }, async () => {
  const person = await service.newUser();
  const context = await browser.createBrowserContext();
  const tab = await openTab(context);
  await logInAt(tab, service, '/webhooks', person);
  const { page, faults } = tab;
  await expectText(page, 'There is nothing here');
  expect(await page.evaluate("[...document.querySelectorAll('nav li')].map((each) => each.textContent)")).toEqual([
    'Tokens',
    'Sessions',
  ]);
  expect(faults).toEqual([]);
  await context.close();
});
