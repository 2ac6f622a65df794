import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import chromium from '@sparticuz/chromium';
import axe from 'axe-core';
import { type Browser, type CDPSession, type LaunchOptions, launch, type Page } from 'puppeteer-core';
import { onTestFinished } from 'vitest';

const installed = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Whether a browser can be started: the package has one for Linux. Always true on CI, where no test may be skipped. */
export const hasBrowser = installed !== undefined || process.platform === 'linux' || process.env['CI'] !== undefined;

/** A name of this machine under which the browser has only what it has without https. */
export const INSECURE_HOST = 'insecure.example';

/** Starts this machine's Chromium, or else the package's, without a window, until the test ends, or `whenDone` says. */
export async function startBrowser(
  whenDone: (cleanUp: () => Promise<void>) => void = onTestFinished,
): Promise<Browser> {
  const browser = await launchWhenUnpacked({
    executablePath: installed ?? (await chromium.executablePath()),
    headless: 'shell',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
      // A host without https, which browsers do not trust as they trust this machine.
      `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`,
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  whenDone(() => browser.close());
  process.stdout.write(`browser: ${await browser.version()}, ${installed ?? '@sparticuz/chromium'}\n`);
  return browser;
}

/** The package unpacks its Chromium at the first use, and says so before another process may start what it has unpacked. */
async function launchWhenUnpacked(options: LaunchOptions): Promise<Browser> {
  for (const end = Date.now() + 30_000; ; ) {
    try {
      return await launch(options);
    } catch (error) {
      if (!String(error).includes('ETXTBSY') || Date.now() > end) throw error;
      await setTimeout(200);
    }
  }
}

/** How a person may see a page. */
export interface Look {
  colors: 'light' | 'dark' | 'forced';
  /** Of the window, in CSS pixels. */
  width: number;
  height: number;
}

/** The looks in which a page must be free of faults. A window of 640 px at a zoom of 200 % has 320 CSS pixels. */
export const LOOKS: readonly Look[] = [
  { colors: 'light', width: 1280, height: 800 },
  { colors: 'dark', width: 1280, height: 800 },
  { colors: 'forced', width: 1280, height: 800 },
  { colors: 'light', width: 320, height: 640 },
  { colors: 'dark', width: 320, height: 640 },
];

/** The debugger's session of each page: what it emulates ends with it. */
const sessions = new WeakMap<Page, CDPSession>();

export async function showAs(page: Page, { colors, width, height }: Look): Promise<void> {
  const session = sessions.get(page) ?? (await page.createCDPSession());
  sessions.set(page, session);
  const forced = colors === 'forced';
  await session.send('Emulation.setEmulatedMedia', {
    features: [
      { name: 'prefers-color-scheme', value: forced ? 'dark' : colors },
      { name: 'forced-colors', value: forced ? 'active' : 'none' },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ],
  });
  await page.setViewport({ width, height });
}

/** A page, and what went wrong in it so far: console errors, breaches of its policy, exceptions, failed requests. */
export interface Tab {
  page: Page;
  faults: string[];
}

/** Opens an empty page. Pass a context to share its cookies, for example with a second tab. */
export async function openTab(browser: Pick<Browser, 'newPage'>): Promise<Tab> {
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('requestfailed', (request) => faults.push(`request: ${request.url()} ${request.failure()?.errorText ?? ''}`));
  await page.evaluateOnNewDocument(`
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
      console.error('policy: ' + violatedDirective + ' ' + blockedURI + ' ' + sample);
    });
  `);
  return { page, faults };
}

const RULES = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
/** The rules whose answer depends on colours; they take the least time. */
const RULES_OF_COLOURS = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

/** What axe finds on the page: WCAG 2.2 AA and its best practices, a line for each element. */
export async function axeFindings(page: Page, runOnly = RULES): Promise<string[]> {
  // Evaluated by the debugger, which the page's policy does not concern.
  if ((await page.evaluate('globalThis.axe === undefined')) === true) await page.evaluate(axe.source);
  return (await page.evaluate(`
    axe.run(document, { resultTypes: ['violations'], runOnly: ${JSON.stringify(runOnly)} }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target + ': ' + failureSummary)))
  `)) as string[];
}

/**
 * What is wrong with the page in any look: what axe finds, and a horizontal scroll bar. What does not depend on colours is
 * examined once for each width. Afterwards the page is shown in the first look.
 */
export async function findingsInLooks(page: Page): Promise<string[]> {
  const findings: string[] = [];
  const widths = new Set<number>();
  for (const look of LOOKS) {
    await showAs(page, look);
    const found = await axeFindings(page, widths.has(look.width) ? RULES_OF_COLOURS : RULES);
    widths.add(look.width);
    const overflow = await overflowOf(page);
    if (overflow > 0) found.push(`the page is ${String(overflow)} px wider than its window`);
    findings.push(...found.map((each) => `${look.colors}, ${String(look.width)} px: ${each}`));
  }
  const [first] = LOOKS;
  if (first !== undefined) await showAs(page, first);
  return findings;
}

/** By how many CSS pixels the page is wider than its window; above 0 it has a horizontal scroll bar. */
export async function overflowOf(page: Page): Promise<number> {
  const width = 'document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth';
  return (await page.evaluate(width)) as number;
}
