import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { type Browser, launch } from 'puppeteer-core';
import { onTestFinished } from 'vitest';

const installed = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Whether there is a browser to be tested with. The package has one for Linux; on CI a test must not be left out. */
export const hasBrowser = installed !== undefined || process.platform === 'linux' || process.env['CI'] !== undefined;

/** Chromium of this machine, or else the one of the package; both are real browsers without a window. */
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
