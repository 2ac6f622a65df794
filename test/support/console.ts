import type { BrowserContext, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { createLatchkey, type Latchkey } from '../../client/index.js';
import type { StartOptions } from '../../server/start.js';
import { openTab, startBrowser, type Tab } from './browser.js';
import { ADMIN, type Service, startService } from './service.js';

/** A browser of somebody, with cookies of their own, and a service for it; both shared by the tests of a file. */
export interface ConsoleSetting {
  service: Service;
  /** The first user's client, to prepare and to look at what the console shows. */
  admin: Latchkey;
  /** Opens a tab in a browser that knows nothing yet. */
  newPerson(): Promise<{ context: BrowserContext; tab: Tab }>;
}

export function shareConsole(options: StartOptions = {}): ConsoleSetting {
  const cleanUps: (() => Promise<void>)[] = [];
  const setting = {} as ConsoleSetting;
  beforeAll(async () => {
    // The browser's clock is the real one.
    const service = await startService({ now: Date.now, ...options }, (cleanUp) => cleanUps.push(cleanUp));
    const browser = await startBrowser((cleanUp) => cleanUps.push(cleanUp));
    const { token } = await service.admin();
    Object.assign(setting, {
      service,
      admin: createLatchkey({ baseUrl: service.url, token }),
      newPerson: async () => {
        const context = await browser.createBrowserContext();
        const tab = await openTab(context);
        await tab.page.setViewport({ width: 1280, height: 800 });
        return { context, tab };
      },
    });
  });
  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  return setting;
}

/** Goes to a page of the console. */
export async function visit({ page }: Tab, { url }: { url: string }, path = ''): Promise<void> {
  await page.goto(`${url}/console${path}`);
}

export async function logInAt(
  tab: Tab,
  service: { url: string },
  path = '',
  { email, password } = ADMIN,
): Promise<void> {
  await visit(tab, service, path);
  await type(tab.page, 'E-mail', email);
  await type(tab.page, 'Password', password);
  await tab.page.keyboard.press('Enter');
  await tab.page.waitForSelector('.frame');
}

/** Waits for the one visible element with this accessible name, as a screen reader tells it. */
export async function named(page: Page, name: string, role?: string) {
  const selector = `::-p-aria([name="${name}"]${role === undefined ? '' : `[role="${role}"]`})`;
  const found = await page.waitForSelector(selector, { visible: true, timeout: 10_000 });
  if (found === null) throw new Error(`there is no ${name}`);
  return found;
}

/** Presses Tab until the control with this name has the focus. The first line of a name is enough. */
export async function tabTo(page: Page, name: string): Promise<void> {
  // More than once around the page, which may not have all of its controls yet.
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const lines = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement)) return [];
      const { labels } = element as HTMLInputElement;
      const text = (element.getAttribute('aria-label') ?? labels?.[0]?.innerText ?? element.innerText).trim();
      return [text.replaceAll('\n', ' '), text.split('\n')[0]];
    });
    if (lines.includes(name)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} cannot be reached by the keyboard`);
}

export async function press(page: Page, name: string, role = 'button'): Promise<void> {
  await (await named(page, name, role)).click();
}

export async function type(page: Page, name: string, text: string, role = 'textbox'): Promise<void> {
  await (await named(page, name, role)).type(text);
}

/** The text that a person sees. */
export async function textOf(page: Page, selector = 'body'): Promise<string> {
  return await page.$eval(selector, (element) => (element as HTMLElement).innerText);
}

export async function expectText(page: Page, text: string | RegExp, selector = 'body'): Promise<void> {
  await expect.poll(() => textOf(page, selector).catch(() => '')).toMatch(text);
}

/**
 * The faults of a tab, without the answers that a test provokes, each of which a browser logs with an error, and without the
 * requests that ended because their page was left.
 */
export function faultsOf({ faults }: Tab, expected: RegExp = /^$/): string[] {
  return faults.filter((fault) => !expected.test(fault) && !fault.endsWith('net::ERR_ABORTED'));
}
