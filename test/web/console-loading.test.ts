import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import { findingsInLooks, hasBrowser, showAs, type Tab } from '../support/browser.js';
import { expectText, faultsOf, logInAt, named, press, shareConsole, textOf, visit } from '../support/console.js';
import { ADMIN } from '../support/service.js';

// What one sees of the console while it loads, and where there is nothing yet.

describe.runIf(hasBrowser)('the console', () => {
  const setting = shareConsole({ webhookAllow: ['127.0.0.0/8'] });

  /** Every page that the console has, as its list of routes says. */
  const patterns = [...readFileSync('web/console/routes.tsx', 'utf8').matchAll(/path: '(\S+)', page:/g)].map(
    ([, pattern]) => String(pattern),
  );

  /** From now on, the answers of the API arrive one after the other, and so each state in between is drawn. */
  async function answerSlowly({ page }: Tab): Promise<void> {
    let count = 0;
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      const pause = request.url().includes('/api/') ? 20 * (++count % 5) : 0;
      void setTimeout(pause).then(() => request.continue());
    });
    await page.evaluateOnNewDocument(() => {
      const jumps: number[] = [];
      Object.assign(globalThis, { jumps });
      new PerformanceObserver((list) => {
        jumps.push(...list.getEntries().map((entry) => (entry as unknown as { value: number }).value));
      }).observe({ type: 'layout-shift', buffered: true });
    });
  }

  /** Follows a link to `path`, as pages do. */
  async function go(page: Page, path: string): Promise<void> {
    await page.evaluate((to) => {
      const link = document.createElement('a');
      link.href = `/console${to}`;
      document.body.append(link);
      link.click();
      link.remove();
    }, path);
  }

  test('shows every page again after a reload, and nothing jumps meanwhile', { timeout: 60_000 }, async () => {
    const { service, admin, newPerson } = setting;
    const manager = await service.newUser();
    const jobs = await admin.createService({
      body: { fullName: 'nightly jobs', managers: [1, manager.session.id], scopes: ['jobs:run'] },
    });
    const { token } = await admin.createAccessToken({ body: { name: 'deploy bot', expiresInDays: 30 } });
    await admin.rotateAccessToken({ path: { token_id: token.id }, body: { gracePeriodSeconds: 3_600 } });
    await admin.createAccessToken({ body: { name: 'of jobs' }, query: { owner: jobs.id } });
    const { webhook } = await admin.createWebhook({
      body: { url: 'http://127.0.0.1:9/hook', eventTypes: ['token.leaked'] },
    });

    const owner = String(jobs.id);
    const ids: Record<string, string> = { tokens: token.id, users: owner, webhooks: webhook.id };
    const of = `?owner=${owner}`;
    const pages: [pattern: string, title: string, last: string, query?: string][] = [
      ['/', 'Tokens', 'deploy bot'],
      ['/tokens', 'Tokens', 'deploy bot'],
      ['/tokens', 'Tokens of nightly jobs', 'of jobs', of],
      ['/tokens/new', 'New token', 'Create token'],
      ['/tokens/new', 'New token for nightly jobs', 'Create token', of],
      ['/tokens/:id', 'deploy bot', 'Created by'],
      ['/sessions', 'Sessions', 'Change password'],
      ['/users', 'Users', 'nightly jobs'],
      ['/users/:id', 'nightly jobs', manager.email],
      ['/events', 'Events', 'Webhook created'],
      ['/webhooks', 'Webhooks', '/hook'],
      ['/webhooks/new', 'New webhook', 'Create webhook'],
      ['/webhooks/:id', 'http://127.0.0.1:9/hook', 'No deliveries yet'],
      ['/policy', 'Policy', 'Every token follows the rules.'],
    ];
    const pagesOfManager: typeof pages = [
      ['/services', 'Services', 'nightly jobs'],
      ['/tokens', 'Tokens of nightly jobs', 'of jobs', of],
    ];
    for (const [person, shown] of [[ADMIN, pages] as const, [manager, pagesOfManager] as const]) {
      const { tab } = await newPerson();
      const { page } = tab;
      await showAs(page, { colors: 'light', width: 320, height: 640 });
      await logInAt(tab, service, '', person);
      await answerSlowly(tab);
      for (const [pattern, title, last, query = ''] of shown) {
        await go(page, pattern.replace(':id', ids[pattern.split('/')[1] ?? ''] ?? '') + query);
        await expectText(page, title, 'h1');
        await expectText(page, last, 'main');
        await page.waitForNetworkIdle({ idleTime: 60 });
        const before = await textOf(page, 'main');
        await page.reload();
        await expect.poll(() => textOf(page, 'main').catch(() => '')).toBe(before);
        const jumps = (await page.evaluate('jumps')) as number[];
        // All of them at once: the test takes its time.
        expect
          .soft({ pattern, query, jumps: jumps.filter((size) => size > 0.005) })
          .toEqual({ pattern, query, jumps: [] });
      }
      expect(faultsOf(tab)).toEqual([]);
    }
    const all = [...pages, ...pagesOfManager].map(([pattern]) => pattern);
    expect([...new Set(all)].sort()).toEqual(patterns.toSorted());
  });

  test('says on a page without content what to do', async () => {
    const { service, newPerson } = setting;
    const person = await service.newUser();
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/services', person);
    await expectText(page, /You manage no service\s*Ask an administrator/, '.empty');
    expect(await findingsInLooks(page)).toEqual([]);
    await press(page, 'Tokens', 'link');
    await expectText(page, /No tokens yet\s*A token lets a program use the API in your name\. Create one/, '.empty');
    expect(await page.$('.toolbar')).toBe(null);
    await page.click('.empty .primary');
    await named(page, 'Create token', 'button');

    const lk = createLatchkey({ baseUrl: service.url, token: person.token });
    const { token } = await lk.createAccessToken({ body: { name: 'revoked soon' } });
    await lk.revokeAccessToken({ path: { token_id: token.id } });
    await visit(tab, service, '/tokens');
    await expectText(page, 'No active tokens', '.empty');
    await visit(tab, service, '/tokens?q=soon&scope=a:b');
    await expectText(page, 'Nothing found', '.empty');
    await press(page, 'Clear search and filters');
    await press(page, 'Revoked 1');
    await expectText(page, 'revoked soon', 'tbody');
    await press(page, 'API reference', 'link');
    await page.waitForSelector('#createAccessToken');
    expect(faultsOf(tab)).toEqual([]);
  });
});
