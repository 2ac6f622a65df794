import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import { findingsInLooks, hasBrowser } from '../support/browser.js';
import {
  expectText,
  faultsOf,
  logInAt,
  named,
  press,
  shareConsole,
  tabTo,
  textOf,
  type,
  visit,
} from '../support/console.js';

// The pages of the console for owners who are no people: services and external owners, and what moves between owners.

const HOSTILE = '<img src=x onerror=alert(1)>';

describe.runIf(hasBrowser)('the console', () => {
  const setting = shareConsole();

  /** Finds an owner in the dialog, and chooses the one with this name. */
  async function choose(page: Page, search: string, name: string): Promise<void> {
    await (await named(page, 'Find an owner', 'searchbox')).type(search);
    await press(page, `+ ${name}`);
    await named(page, `Remove ${name}`, 'button');
  }

  /** The scopes of this service that the form offers. */
  const offered = (page: Page) => page.$$eval('.checks code', (all) => all.map(({ textContent }) => textContent));

  async function expectNoFindings(page: Page): Promise<void> {
    expect.soft(await findingsInLooks(page)).toEqual([]);
  }

  test('adds a service by the keyboard alone, and shows its managers by their names', { timeout: 60_000 }, async () => {
    const { service, newPerson, admin } = setting;
    const ada = await service.newUser('ada@example.org');
    await service.newUser('bea@example.org');
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/users?kind=service');
    await expectText(page, 'No user matches');
    await tabTo(page, 'Add service');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await tabTo(page, 'Add service');
    await page.keyboard.press('Enter');
    await expectText(page, 'Fill in this field.', 'dialog');
    await expect
      .poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement).labels?.[0]?.innerText))
      .toBe('Name');
    await page.keyboard.type(`deploy ${HOSTILE}`);
    await tabTo(page, 'Find an owner');
    // Return searches, and does not submit the form.
    await page.keyboard.type('ADA@\n');
    await named(page, '+ Name of ada@example.org', 'button');
    await tabTo(page, '+ Name of ada@example.org');
    await page.keyboard.press('Enter');
    await named(page, 'Remove Name of ada@example.org', 'button');
    // The button is gone, and the focus is where one goes on.
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search');
    await tabTo(page, 'Any scopes');
    await page.keyboard.press('ArrowRight');
    await tabTo(page, 'Scopes');
    await page.keyboard.type('deployments:write !');
    await page.keyboard.press('Enter');
    await expectText(page, '“!” is not a scope', 'dialog');
    await page.keyboard.press('Backspace');
    await expectNoFindings(page);
    await page.keyboard.press('Enter');
    await expectText(page, `deploy ${HOSTILE}`, 'h1');
    await expectText(
      page,
      /Managers\s*Name of ada@example\.org\s*Scopes it may have\s*deployments:write\s*Since/,
      '.details',
    );
    expect(await page.$('main img')).toBe(null);
    const { items } = await admin.listUsers({ query: { kind: 'service' } });
    expect(items).toMatchObject([{ managers: [ada.session.id], scopes: ['deployments:write'] }]);

    await press(page, 'Edit');
    await press(page, 'Remove Name of ada@example.org');
    await choose(page, 'bea@', 'Name of bea@example.org');
    await choose(page, 'ada@', 'Name of ada@example.org');
    await press(page, 'Remove Name of ada@example.org');
    await press(page, 'Any scopes', 'radio');
    const name = await named(page, 'Name', 'textbox');
    await name.click({ clickCount: 3 });
    await name.type('releases');
    await press(page, 'Save');
    await expectText(page, 'releases', 'h1');
    await expectText(page, /Managers\s*Name of bea@example\.org\s*Scopes it may have\s*Any scopes/, '.details');
    await press(page, 'Name of bea@example.org', 'link');
    await expectText(page, 'bea@example.org', '.details');
    await press(page, 'Disable');
    await page.waitForSelector('dialog[open]');
    await page.click('dialog .danger');
    await named(page, 'Enable', 'button');
    await visit(tab, service, '/users');
    await press(page, 'Services without a manager');
    await expectText(page, 'releases', 'tbody');
    await press(page, 'releases', 'link');
    await expectText(page, 'Name of bea@example.org (disabled)', '.details');
    await expectNoFindings(page);
    expect(faultsOf(tab)).toEqual([]);
  });

  test('adds, edits and deletes an external owner, and gives it a token', { timeout: 60_000 }, async () => {
    const { service, newPerson, admin } = setting;
    await admin.putExternalUser({ path: { external_id: 'taken' }, body: { fullName: 'Somebody' } });
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/users?kind=external');
    await press(page, 'Add external owner');
    await type(page, 'Id in your own system', 'taken');
    await page.keyboard.press('Enter');
    await expectText(page, 'There is an external owner with the id taken already.', 'dialog');
    await type(page, 'Id in your own system', '/../42?');
    await type(page, 'Name (optional)', HOSTILE);
    await type(page, 'E-mail (optional)', 'ada@shop.example');
    await press(page, 'Add a pair');
    await type(page, 'Key 1', 'plan');
    await type(page, 'Value 1', 'gold');
    await press(page, 'Add a pair');
    await type(page, 'Key 2', 'unused');
    await press(page, 'Remove pair 2');
    await expectNoFindings(page);
    await page.click('dialog [type=submit]');
    await expectText(page, HOSTILE, 'h1');
    const path = { external_id: 'taken/../42?' };
    const owner = await admin.getExternalUser({ path });
    expect(owner).toMatchObject({ fullName: HOSTILE, email: 'ada@shop.example', metadata: { plan: 'gold' } });
    expect(await admin.getExternalUser({ path: { external_id: 'taken' } })).toMatchObject({ fullName: 'Somebody' });

    await press(page, 'Edit');
    const name = await named(page, 'Name (optional)', 'textbox');
    await name.click({ clickCount: 3 });
    await name.type('Shop of Ada');
    await press(page, 'Save');
    await expectText(page, 'Shop of Ada', 'h1');
    await expectText(page, /E-mail\s*ada@shop\.example\s*Metadata\s*plan gold/, '.details');
    await expectNoFindings(page);

    await press(page, 'New token', 'link');
    await expectText(page, 'New token for Shop of Ada', 'h1');
    await type(page, 'Name', 'of a customer');
    await type(page, 'In your own API (optional)', 'orders:read');
    // What such an owner can never have is not offered, and nothing is chosen in advance.
    await expect.poll(() => offered(page)).toEqual(['tokens:read', 'tokens:write']);
    await press(page, 'Create token');
    await press(page, 'Done');
    await named(page, 'Rotate', 'button');
    const { items } = await admin.listAccessTokens({ query: { owner: owner.id } });
    expect(items).toMatchObject([{ name: 'of a customer', scopes: ['orders:read'] }]);

    await visit(tab, service, `/users/${String(owner.id)}`);
    await press(page, 'Disable');
    await page.waitForSelector('dialog[open]');
    await page.click('dialog .danger');
    await press(page, 'Enable');
    await expectText(page, 'Enabled Shop of Ada.', '[role=status]');
    await press(page, 'Delete');
    await expectText(page, '1 token is revoked.', 'dialog');
    await expectNoFindings(page);
    await page.keyboard.press('Escape');
    await press(page, 'Delete');
    await expectText(page, '1 token is revoked.', 'dialog');
    await page.click('dialog .danger');
    await expectText(page, 'Deleted Shop of Ada.', '[role=status]');
    await expect.poll(() => page.url()).toContain('/console/users?kind=external');
    await expectText(page, 'Somebody', 'tbody');
    expect(await textOf(page, 'tbody')).not.toContain('Shop of Ada');
    await expect(admin.getExternalUser({ path })).rejects.toMatchObject({ code: 'not_found' });
    expect(faultsOf(tab, /status of 404/)).toEqual([]);
  });

  test('shows a manager the services that they manage, whose tokens the manager makes and takes', {
    timeout: 60_000,
  }, async () => {
    const { service, newPerson, admin } = setting;
    const manager = await service.newUser('manager@example.org');
    const body = { fullName: 'nightly jobs', managers: [manager.session.id], scopes: ['tokens:read', 'reports:write'] };
    const jobs = await admin.createService({ body });
    await admin.createService({ body: { fullName: 'of others' } });
    const lk = createLatchkey({ baseUrl: service.url, token: manager.token });
    const { plaintext } = await lk.createAccessToken({
      body: { name: 'moves', scopes: ['reports:write', 'other:word'] },
    });
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '', manager);
    await press(page, 'Services', 'link');
    await expectText(page, /nightly jobs\s*reports:write\s*tokens:read/, 'tbody');
    expect(await textOf(page, 'tbody')).not.toContain('of others');
    await expectNoFindings(page);
    await press(page, 'nightly jobs', 'link');
    await expectText(page, 'Tokens of nightly jobs', 'h1');
    await press(page, 'New token', 'link');
    await expectText(page, 'New token for nightly jobs', 'h1');
    await expect.poll(() => offered(page)).toEqual(['tokens:read']);
    await type(page, 'Name', 'of the service');
    await press(page, '+ reports:write');
    await press(page, 'Create token');
    await press(page, 'Done');
    await named(page, 'Rotate', 'button');
    await press(page, 'All tokens', 'link');
    await expectText(page, 'of the service', 'tbody');
    await press(page, 'Services', 'link');
    await expectText(page, 'Services', 'h1');

    await press(page, 'Tokens', 'link');
    await press(page, 'Select moves', 'checkbox');
    await press(page, 'Give to another owner');
    await choose(page, 'nightly', 'nightly jobs');
    await expectText(page, 'This owner may not have these scopes: other:word.', 'dialog');
    await press(page, 'Remove scopes that the new owner may not have', 'checkbox');
    await expectText(page, '1 token moves, and 1 of them loses scopes.', 'dialog');
    await expectNoFindings(page);
    await page.click('dialog [type=submit]');
    await expectText(page, 'Gave 1 token to nightly jobs.', '[role=status]');
    const moved = await createLatchkey({ baseUrl: service.url, token: plaintext }).getMe();
    expect(moved.user.id).toBe(jobs.id);

    // And back, from the page of the token.
    await visit(tab, service, `/tokens?owner=${String(jobs.id)}`);
    await press(page, 'moves', 'link');
    await press(page, 'Give to another owner');
    await choose(page, 'manager', 'Name of manager@example.org');
    await expectText(page, '1 token moves.', 'dialog');
    await page.click('dialog [type=submit]');
    await expectText(page, 'Tokens of nightly jobs', 'h1');
    const { items } = await lk.listAccessTokens({ query: { tokenType: 'pat' } });
    expect(items).toMatchObject([{ name: 'moves', scopes: ['reports:write'] }]);
    expect(faultsOf(tab, /status of 409/)).toEqual([]);
  });
});
