import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'puppeteer-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import { hasBrowser, INSECURE_HOST, openTab } from '../support/browser.js';
import { expectText, faultsOf, logInAt, named, press, shareConsole, textOf, type, visit } from '../support/console.js';

// The console across pages of a list, across tabs, and without https.

describe.runIf(hasBrowser)('the console', () => {
  const setting = shareConsole();

  const firstName = (page: Page) => page.$eval('tbody th bdi', ({ textContent }) => textContent).catch(() => '');
  const isDisabled = async (page: Page, name: string) =>
    await (await named(page, name, 'button')).evaluate((button) => (button as HTMLButtonElement).disabled);

  test('leads through the pages of a list and back, also after a reload', async () => {
    const { service, newPerson } = setting;
    const person = await service.newUser();
    const lk = createLatchkey({ baseUrl: service.url, token: person.token });
    const names = Array.from({ length: 101 }, (_, at) => `page ${String(at).padStart(3, '0')}`);
    await Promise.all(names.map((name) => lk.createAccessToken({ body: { name, scopes: [] } })));
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/tokens?sort=name', person);
    await expect.poll(() => firstName(page)).toBe('page 000');
    expect(await isDisabled(page, 'Previous page')).toBe(true);
    for (const name of ['page 050', 'page 100']) {
      await press(page, 'Next page');
      await expect.poll(() => firstName(page)).toBe(name);
    }
    expect(await isDisabled(page, 'Next page')).toBe(true);
    await page.reload();
    await expect.poll(() => firstName(page)).toBe('page 100');
    for (const name of ['page 050', 'page 000']) {
      await press(page, 'Previous page');
      await expect.poll(() => firstName(page)).toBe(name);
    }
    expect(await isDisabled(page, 'Previous page')).toBe(true);
    expect(page.url()).not.toContain('after=');
    await page.goBack();
    await expect.poll(() => firstName(page)).toBe('page 050');
    // Another order begins at its first page.
    await page.select('.sort select', '-createdAt');
    await expect.poll(() => page.url()).not.toContain('after=');
    expect(faultsOf(tab)).toEqual([]);
  });

  test('changes one’s own password, which ends all other sessions', async () => {
    const { service, newPerson } = setting;
    const person = await service.newUser();
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/sessions', person);
    await type(page, 'Current password', 'not the password');
    await type(page, 'New password', 'another long password');
    await page.keyboard.press('Enter');
    await page.waitForSelector('form .error');
    const focused = () => page.evaluate(() => (document.activeElement as HTMLInputElement).name);
    await expect.poll(focused).toBe('current');
    const current = await named(page, 'Current password', 'textbox');
    await current.click({ clickCount: 3 });
    await current.type(person.password);
    await press(page, 'Change password');
    await expectText(page, 'Changed your password.', '[role=status]');
    await expectText(page, 'You are logged in nowhere else.');
    expect(await page.$$eval('[type=password]', (all) => all.map((each) => (each as HTMLInputElement).value))).toEqual([
      '',
      '',
    ]);
    const other = createLatchkey({ baseUrl: service.url, token: person.token });
    await expect(other.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    const lk = createLatchkey({ baseUrl: service.url });
    await lk.logIn({ username: person.email, password: 'another long password' });
    expect(faultsOf(tab, /status of 422/)).toEqual([]);
  });

  test('copies without https, or selects the text and says what to press', async () => {
    const { service, newPerson } = setting;
    const { context, tab } = await newPerson();
    const { page } = tab;
    const insecure = new URL(service.url);
    insecure.hostname = INSECURE_HOST;
    await logInAt(tab, { url: insecure.origin }, '/tokens/new');
    expect(await page.evaluate(() => [isSecureContext, 'clipboard' in navigator])).toEqual([false, false]);
    await type(page, 'Name', 'copied');
    await press(page, 'Create token');
    await press(page, 'Copy the secret');
    await expectText(page, 'Copied the secret.', '[role=status]');
    const [secret, command] = await page.$$eval('.copyable code', (all) => all.map(({ textContent }) => textContent));
    await context.overridePermissions(service.url, ['clipboard-read']);
    const trusted = await openTab(context);
    await visit(trusted, service);
    await trusted.page.bringToFront();
    await expect.poll(() => trusted.page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await page.bringToFront();
    await page.evaluate('document.execCommand = () => false');
    await press(page, 'Copy the command');
    await expectText(page, /The text is selected: press Ctrl\+C/, '[role=status]');
    expect(await page.evaluate(() => String(getSelection()))).toBe(command);
    const button = await named(page, 'Copy the command', 'button');
    expect(await button.evaluate((element) => element.textContent)).toBe('Copy');
    // A header of the pages that browsers heed only on https.
    expect([...faultsOf(tab, /Cross-Origin-Opener-Policy/), ...faultsOf(trusted)]).toEqual([]);
  });

  test('is one session in two tabs: one logs in again for both, and another user replaces both', async () => {
    const { service, newPerson } = setting;
    const [ada, bea] = [await service.newUser(), await service.newUser()];
    const { context, tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/tokens/new', ada);
    await type(page, 'Name', 'typed in the first tab');
    const second = await openTab(context);
    await second.page.setViewport({ width: 1280, height: 800 });
    await visit(second, service, '/tokens');
    await second.page.waitForSelector('.frame');
    await createLatchkey({ baseUrl: service.url, token: ada.token }).revokeAllAccessTokens();
    await page.bringToFront();
    await press(page, 'Create token');
    await expectText(page, 'Log in again', 'dialog');
    await second.page.bringToFront();
    await logInAt(second, service, '/tokens', ada);
    // The call of the first tab goes on by itself.
    await page.bringToFront();
    await named(page, 'Copy the secret', 'button');
    await press(page, 'Done');

    await second.page.bringToFront();
    await press(second.page, 'Log out');
    await named(second.page, 'E-mail', 'textbox');
    await logInAt(second, service, '/sessions', bea);
    await page.bringToFront();
    await expectText(page, bea.email, '.who');
    expect(await textOf(page)).not.toContain('typed in the first tab');
    expect([...faultsOf(tab, /status of 40[14]/), ...faultsOf(second, /status of 401/)]).toEqual([]);
  });

  test('is of no use to a page of another origin, and runs no script that is put into it', async () => {
    const { service, newPerson, admin } = setting;
    const { context, tab } = await newPerson();
    await logInAt(tab, service, '/tokens');
    const stranger = createServer((_, response) => {
      response
        .setHeader('Content-Type', 'text/html')
        .end(`<title>elsewhere</title><iframe src="${service.url}/console">`);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      stranger.close();
      stranger.closeAllConnections();
    });
    await once(stranger, 'listening');
    const { page } = await openTab(context);
    // Another port is the same site: the browser sends the cookie along.
    await page.goto(`http://127.0.0.1:${String((stranger.address() as AddressInfo).port)}`);
    const framed = page.frames().find((frame) => frame !== page.mainFrame());
    expect(framed?.url()).not.toContain('/console');
    const before = await admin.countAccessTokens();
    const sent = await page.evaluate(async (url) => {
      const send = (path: string, options: RequestInit) =>
        fetch(url + path, { credentials: 'include', ...options }).then(
          ({ type }) => type,
          () => 'rejected',
        );
      const blind = { method: 'POST', mode: 'no-cors', body: '{"name": "forged"}' } as const;
      const answers = [
        await send('/api/v1/access-tokens', {}),
        await send('/api/v1/access-tokens', { method: 'DELETE' }),
        await send('/api/v1/access-tokens', blind),
        await send('/api/v1/auth/browser-session/refresh', { ...blind, body: null }),
        await send('/api/v1/auth/logout', { ...blind, body: null }),
      ];
      Object.assign(globalThis, { opened: open(`${url}/console`) });
      return answers;
    }, service.url);
    // What is opaque was answered, and the service refused it.
    expect(sent).toEqual(['rejected', 'rejected', 'opaque', 'opaque', 'opaque']);
    await expect.poll(() => page.evaluate('opened.closed')).toBe(true);
    expect(await admin.countAccessTokens()).toEqual(before);
    await tab.page.bringToFront();
    await tab.page.reload();
    await tab.page.waitForSelector('.frame');
    expect(faultsOf(tab)).toEqual([]);

    const put = await tab.page.evaluate(() => {
      const script = document.createElement('script');
      const attempts = [
        () => (script.textContent = 'globalThis.hasRun = true'),
        () => (document.body.innerHTML = '<img src=x onerror="hasRun = true">'),
        () => {
          document.body.append(script);
        },
      ];
      const refused = attempts.map((attempt) => {
        try {
          attempt();
          return '';
        } catch (error) {
          return String(error);
        }
      });
      return [...refused, 'hasRun' in globalThis];
    });
    expect(put).toEqual([expect.stringContaining('TrustedScript'), expect.stringContaining('TrustedHTML'), '', false]);
  });
});
