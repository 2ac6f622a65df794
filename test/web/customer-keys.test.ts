import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'puppeteer-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { axeFindings, hasBrowser, openTab, startBrowser } from '../support/browser.js';
import { expectText, faultsOf, named, press, textOf, type } from '../support/console.js';
import { startLocal } from '../support/local-server.js';

// The shop of examples/customer-keys, as its customers use it in a browser, and as an attacker would.

const FOLDER = resolve('examples/customer-keys');
const PLAINTEXT = /lk_pat_[0-9A-Za-z]{36}/;
const DEMO = { users: [{ email: 'demo@latchkey.local', password: 'demo password', isAdmin: true }] };
const run = promisify(execFile);

/** Starts a service and, with the token that the README's commands make, the shop. */
async function startShop() {
  const service = await startLocal({ testing: { seed: DEMO } });
  const [, commands = ''] = /```sh\nnpm install [^\n]*\n(.*?)node server\.js\n```/s.exec(await readme()) ?? [];
  const script = `${commands.replace('http://127.0.0.1:8080', service.url)}printf %s "$LATCHKEY_TOKEN"`;
  const { stdout: token } = await run('bash', ['-ec', script], { env: { PATH: process.env['PATH'] } });
  expect(token).toMatch(PLAINTEXT);
  const child = spawn(process.execPath, ['server.js'], {
    cwd: FOLDER,
    env: { PATH: process.env['PATH'], PORT: '0', LATCHKEY_URL: service.url, LATCHKEY_TOKEN: token },
  });
  onTestFinished(() => void child.kill());
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  await expect.poll(() => printed.join('')).toMatch(/^listening on http/);
  const url = /http\S+/.exec(printed.join(''))?.[0] ?? '';
  return { service, url, token, printed };
}

async function readme(): Promise<string> {
  return await readFile(resolve(FOLDER, 'README.md'), 'utf8');
}

/** Logs a customer in, in a browser of their own. */
async function logIn(browser: Browser, url: string, customer: string) {
  const context = await browser.createBrowserContext();
  const tab = await openTab(context);
  await tab.page.goto(url);
  await press(tab.page, customer);
  await expectText(tab.page, customer, '#customer');
  const [session] = await context.cookies();
  return { tab, page: tab.page, session, cookie: `${session?.name ?? ''}=${session?.value ?? ''}` };
}

/** The plaintext in the dialog, which is closed afterwards. */
async function readSecret(page: Page): Promise<string> {
  await named(page, 'Done', 'button');
  const secret = await textOf(page, '#plaintext');
  expect(secret).toMatch(PLAINTEXT);
  await press(page, 'Done');
  return secret;
}

describe.runIf(hasBrowser)('examples/customer-keys', () => {
  test('is typed, and has no login for production', async () => {
    await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '--project', FOLDER]);
    const child = spawn(process.execPath, ['login.js'], { cwd: FOLDER, env: { NODE_ENV: 'production' } });
    expect(await once(child, 'close')).toEqual([1, null]);
  });

  test('a customer makes, uses, sees, rotates and revokes keys, and another one does not see them', async () => {
    const { service, url, token, printed } = await startShop();
    const browser = await startBrowser();
    const { tab, page, session, cookie } = await logIn(browser, url, 'Ada Ltd');
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    const api = async (key: string, options: RequestInit = {}) => {
      const response = await fetch(`${url}/api/orders`, { ...options, headers: { Authorization: `Bearer ${key}` } });
      return { status: response.status, body: await response.text() };
    };
    const order = { method: 'POST', body: JSON.stringify({ article: 'a lamp' }) };

    await type(page, 'Name', 'warehouse');
    await press(page, 'place orders', 'checkbox');
    await press(page, 'Create key');
    const secret = await readSecret(page);
    await expectText(page, 'Created warehouse.', '[role=status]');
    const [, answer = ''] = /```json\n(.*?)\n```/s.exec(await readme()) ?? [];
    expect(await api(secret)).toEqual({ status: 200, body: answer });
    expect(await api(secret, order)).toEqual({ status: 201, body: '{"article":"a lamp"}' });

    // It is shown once: not in the page, and not in what the page gets.
    await page.reload();
    await expectText(page, /warehouse\s+lk_pat_\w{5}\s+orders:read, orders:write/, '#keys');
    expect(await axeFindings(page)).toEqual([]);
    const list = async (headers: Record<string, string>) => await fetch(`${url}/keys`, { headers });
    const listed = await list({ Cookie: cookie });
    const text = await listed.text();
    expect(await page.content()).not.toMatch(PLAINTEXT);
    expect(text).not.toMatch(PLAINTEXT);
    expect(listed.headers.get('Cache-Control')).toBe('no-store');
    const { keys } = JSON.parse(text) as { keys: { id: string }[] };
    const path = `/keys/${keys[0]?.id ?? ''}`;

    const other = await logIn(browser, url, 'Bo & Sons');
    const hostile = '<img src=x onerror=alert(1)>';
    await type(other.page, 'Name', hostile);
    await press(other.page, 'Create key');
    const others = await readSecret(other.page);
    await expectText(other.page, hostile, '#keys');
    expect(await textOf(other.page, '#keys')).not.toContain('warehouse');
    expect(await api(others)).toEqual({ status: 200, body: '{"customer":"cus_43","orders":[]}' });
    expect(await api(others, order)).toMatchObject({ status: 403 });
    // Neither does another customer change it, nor a page of another site, nor anybody without a session.
    const json = { 'Content-Type': 'application/json' };
    const own = { Cookie: cookie, ...json };
    const attempts: [string, string, Record<string, string>, object | null, number][] = [
      ['POST', `${path}/rotate`, { Cookie: other.cookie, ...json }, {}, 404],
      ['DELETE', path, { Cookie: other.cookie, ...json }, null, 404],
      ['POST', `${path}/rotate`, { Cookie: cookie, Origin: 'https://evil.example' }, null, 403],
      ['POST', '/keys', { Cookie: cookie, 'Content-Type': 'text/plain' }, { name: 'a', scopes: [] }, 403],
      ['DELETE', path, { Cookie: cookie, Origin: 'https://evil.example' }, null, 403],
      ['POST', '/logout', { Cookie: cookie }, null, 403],
      ['OPTIONS', path, { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'DELETE' }, null, 401],
      ['DELETE', path, json, null, 401],
      ['GET', '/keys', {}, null, 401],
      ['GET', '/keys', { Authorization: `Bearer ${secret}` }, null, 401],
      ['POST', '/keys', own, { name: 'a', scopes: ['tokens:act-as'] }, 422],
      ['POST', '/keys', own, { name: '', scopes: [] }, 422],
      ['POST', '/keys', own, null, 422],
      ['POST', '/keys/no-id/rotate', own, {}, 422],
    ];
    for (const [method, to, headers, body, status] of attempts) {
      const response = await fetch(url + to, { method, headers, body: body === null ? null : JSON.stringify(body) });
      expect([method, to, headers, response.status]).toEqual([method, to, headers, status]);
      expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull();
      expect(await response.text()).not.toMatch(/lk_pat_/);
    }
    expect(await (await list({ Cookie: cookie })).json()).toMatchObject({ keys: [{ name: 'warehouse' }] });
    // A valid token of a service belongs to no customer.
    expect(await api(token)).toMatchObject({ status: 403 });

    await press(page, 'Rotate warehouse');
    const rotated = await readSecret(page);
    expect(rotated).not.toBe(secret);
    await expectText(page, 'the earlier secret: until', '#keys');
    expect([(await api(rotated)).status, (await api(secret)).status]).toEqual([200, 200]);

    // The key is made, but each answer is lost on its way to the shop: a second click gets that key and makes no other.
    service.faults.add({ operationId: 'createAccessToken', drop: 'after-commit', times: 3 });
    await type(page, 'Name', 'second');
    await press(page, 'Create key');
    await expectText(page, 'This did not work. Please try again later.', '[role=status]');
    await press(page, 'Create key');
    const second = await readSecret(page);
    expect((await api(second)).status).toBe(200);
    await expectText(page, /^second\s.*\nwarehouse\s.*$/, '#keys');

    page.once('dialog', (dialog) => void dialog.accept());
    await press(page, 'Revoke warehouse');
    await expectText(page, 'Revoked warehouse.', '[role=status]');
    await expect.poll(() => textOf(page, '#keys')).not.toContain('warehouse');
    expect([(await api(rotated)).status, (await api(secret)).status]).toEqual([401, 401]);
    await press(page, 'Log out');
    await named(page, 'Ada Ltd', 'button');
    expect((await list({ Cookie: cookie })).status).toBe(401);

    expect(faultsOf(tab, /status of 503/)).toEqual([]);
    expect(faultsOf(other.tab)).toEqual([]);
    // What the shop writes to its log has no secret.
    expect(printed.join('')).toContain('revoked warehouse');
    expect(printed.join('')).not.toMatch(PLAINTEXT);
  });
});
