import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { type Browser, launch } from 'puppeteer-core';
import { onTestFinished } from 'vitest';

const installed = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Whether a browser can be started: the package has one for Linux. Always true on CI, where no test may be skipped. */
export const hasBrowser = installed !== undefined || process.platform === 'linux' || process.env['CI'] !== undefined;

/** Starts this machine's Chromium, or else the package's, without a window, until the test ends. */
export async function startBrowser(): Promise<Browser> {
  const browser = await launch({
    executablePath: installed ?? (await chromium.executablePath()),
    headless: 'shell',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ...(installed === undefined ? ['--single-process', '--no-zygote'] : []),
    ],
  });
  onTestFinished(() => browser.close());
  process.stdout.write(`browser: ${await browser.version()}, ${installed ?? '@sparticuz/chromium'}\n`);
  return browser;
}
