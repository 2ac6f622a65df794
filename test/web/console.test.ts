import { describe, expect, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import { findingsInLooks, hasBrowser, openTab, type Tab } from '../support/browser.js';
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
import { ADMIN } from '../support/service.js';

// The console in a real browser, as a person uses it.

const PLAINTEXT = /lk_pat_[0-9A-Za-z]{36}/;
const REFUSED = /status of 401/;

describe.runIf(hasBrowser)('the console', () => {
  const setting = shareConsole();

  async function confirm({ page }: Tab, name: string): Promise<void> {
    await tabTo(page, name);
    // Whoever uses the keyboard must see where they are.
    const outline = await page.$eval(':focus', (element) => getComputedStyle(element).outlineStyle);
    expect([name, outline]).not.toEqual([name, 'none']);
    await page.keyboard.press('Enter');
  }

  test('creates, copies, tries, rotates and revokes a token by the keyboard alone', async () => {
    const { service, newPerson } = setting;
    const { context, tab } = await newPerson();
    await context.overridePermissions(service.url, ['clipboard-read', 'clipboard-write']);
    const { page } = tab;
    // The page looks up every ten seconds whether the earlier secret is used.
    await page.evaluateOnNewDocument(() => {
      const usual = setInterval;
      Object.assign(globalThis, { setInterval: (call: () => void, time: number) => usual(call, time / 50) });
    });
    await visit(tab, service);
    await named(page, 'E-mail', 'textbox');
    await page.keyboard.type(ADMIN.email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(ADMIN.password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.page-head');
    await confirm(tab, 'New token');

    await named(page, 'Name', 'textbox');
    await tabTo(page, 'Name');
    await page.keyboard.type('by keyboard');
    await tabTo(page, '30 days');
    await page.keyboard.press('ArrowRight');
    await tabTo(page, 'tokens:write');
    await page.keyboard.press('Space');
    await expectText(page, 'by keyboard may use tokens:read and tokens:write', '.summary');
    await confirm(tab, 'Create token');

    await named(page, 'Copy the secret', 'button');
    await confirm(tab, 'Copy the secret');
    await expectText(page, 'Copied the secret.', '[role=status]');
    const secret = await page.evaluate(() => navigator.clipboard.readText());
    expect(secret).toMatch(PLAINTEXT);
    await confirm(tab, 'Copy the command');
    const command = await page.evaluate(() => navigator.clipboard.readText());
    const [, url = '', header = ''] = /^curl (\S+) -H "Authorization: (Bearer \S+)"$/.exec(command) ?? [];
    expect(header).toBe(`Bearer ${secret}`);

    await confirm(tab, 'Done');
    await named(page, 'Rotate', 'button');
    expect(await textOf(page)).not.toMatch(PLAINTEXT);
    await confirm(tab, 'Rotate');
    await page.waitForSelector('dialog[open]');
    await confirm(tab, 'Rotate');
    await named(page, 'Copy the secret', 'button');
    await confirm(tab, 'Copy the secret');
    await expectText(page, 'Copied the secret.', '[role=status]');
    const rotated = await page.evaluate(() => navigator.clipboard.readText());
    expect(rotated).not.toBe(secret);
    // The earlier secret works for a day, and the page tells when it is used: for the first time here, by the command.
    await expectText(page, /Earlier secret[^]*Works until[^]*Last used\s*Never used/, '.card:has(.card-head)');
    const shown = (await (await fetch(url, { headers: { Authorization: header } })).json()) as Record<string, unknown>;
    expect(shown).toMatchObject({ name: 'by keyboard', scopes: ['tokens:read', 'tokens:write'] });
    expect(Date.parse(String(shown['expiresAt'])) - Date.now()).toBeGreaterThan(89 * 86_400_000);
    await expectText(page, /Last used\s*now/, '.card:has(.card-head)');
    await confirm(tab, 'Done');
    await confirm(tab, 'End it now');
    await expectText(page, 'Ended the earlier secret.', '[role=status]');
    const earlier = createLatchkey({ baseUrl: service.url, token: secret });
    await expect(earlier.getMe()).rejects.toMatchObject({ code: 'unauthorized' });

    await confirm(tab, 'Revoke');
    await page.waitForSelector('dialog[open]');
    await confirm(tab, 'Revoke');
    await expectText(page, 'Revoked by keyboard.', '[role=status]');
    const after = createLatchkey({ baseUrl: service.url, token: rotated });
    await expect(after.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    await expectText(page, /Revoked by admin@latchkey\.local.*Rotated by.*Created by/s, '.events');
    expect(faultsOf(tab)).toEqual([]);
  });

  test('keeps nothing secret where a script, the history or the storage has it', async () => {
    const { service, newPerson } = setting;
    const { context, tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/tokens/new');
    await type(page, 'Name', 'a secret');
    await press(page, 'Create token');
    await named(page, 'Copy the secret', 'button');
    const [secret = ''] = PLAINTEXT.exec(await textOf(page)) ?? [];
    const kept = await page.evaluate(() =>
      JSON.stringify([
        document.cookie,
        Object.entries(localStorage),
        Object.entries(sessionStorage),
        location.href,
        history.state,
        performance.getEntries().map(({ name }) => name),
      ]),
    );
    expect(kept).not.toMatch(/lk_|correct horse/);
    const cookies = await context.cookies();
    expect(cookies.map(({ name, httpOnly }) => [name, httpOnly]).sort()).toEqual([
      ['vai_refresh', true],
      ['vai_token', true],
    ]);
    // It is gone with the page, and does not come back.
    await page.goBack();
    await page.goForward();
    await named(page, 'Create token', 'button');
    expect(await page.content()).not.toContain(secret);
    expect(faultsOf(tab)).toEqual([]);
  });

  test('shows hostile names as text', async () => {
    const { service, newPerson, admin } = setting;
    const names = [
      '<img src=x onerror="document.title=1">',
      '"><script>alert(1)</script>',
      'javascript:alert(1)',
      '\u202Egnp.exe\u202C',
      '{{constructor.constructor("alert(1)")()}}',
      'a'.repeat(255),
    ];
    for (const name of names) await admin.createAccessToken({ body: { name, description: name, scopes: [] } });
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/tokens?sort=createdAt');
    await page.waitForSelector('tbody tr');
    for (const name of names) {
      expect(await page.$$eval('tbody th bdi', (all) => all.map(({ textContent }) => textContent))).toContain(name);
    }
    for (let at = 0; at < names.length; at++) {
      await visit(tab, service, '/tokens?sort=createdAt');
      const links = await page.waitForSelector('tbody tr').then(() => page.$$('tbody th a'));
      await links[links.length - names.length + at]?.click();
      await page.waitForSelector('.details');
      expect(await page.$eval('h1', ({ textContent }) => textContent)).toBe(names[at]);
    }
    expect(await page.$$('main img, main script')).toEqual([]);
    expect(faultsOf(tab)).toEqual([]);
  });

  test('searches, filters, and revokes several, after it has shown what the service would revoke', async () => {
    const { service, newPerson, admin } = setting;
    for (const name of ['bulk a', 'bulk b', 'bulk c']) {
      await admin.createAccessToken({ body: { name, scopes: ['bulk:read'], expiresInDays: 3 } });
    }
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service);
    await (await named(page, 'Search', 'searchbox')).type('BULK');
    await expect.poll(() => page.url()).toContain('?q=BULK');
    await expect.poll(() => page.$$eval('tbody tr', ({ length }) => length)).toBe(3);
    await expectText(page, /Active\s*3.*Expiring soon\s*3.*Expired\s*0/s, '.chips');
    await press(page, 'Select bulk a', 'checkbox');
    await press(page, 'Select bulk c', 'checkbox');
    await expectText(page, '2 tokens selected', '.selection');
    await press(page, 'Revoke');
    await expectText(page, /Revoke 2 tokens\?.*bulk c.*bulk a/s, 'dialog');
    expect(await textOf(page, 'dialog')).not.toContain('bulk b');
    const before = await admin.countAccessTokens({ query: { q: 'bulk' } });
    expect(before.active).toBe(3);
    await press(page, 'Revoke 2 tokens');
    await expectText(page, 'Revoked 2 tokens.', '[role=status]');
    await expectText(page, /Active\s*1.*Revoked\s*2/s, '.chips');
    const { items } = await admin.listAccessTokens({ query: { q: 'bulk', state: 'revoked' } });
    expect(items.map(({ name }) => name).sort()).toEqual(['bulk a', 'bulk c']);
    await page.goBack();
    await page.goForward();
    await expectText(page, 'bulk b', 'tbody');

    // The filters narrow the counts and a revocation too.
    const bulk = await admin.createAccessToken({ body: { name: 'bulk d', scopes: ['other:read'] } });
    await createLatchkey({ baseUrl: service.url, token: bulk.plaintext }).getMe();
    const lastUse = async () => (await admin.getAccessToken({ path: { token_id: bulk.token.id } })).lastUsedAt;
    await expect.poll(lastUse, { timeout: 10_000 }).not.toBe(null);
    const shown = () => page.$$eval('tbody th bdi', (all) => all.map(({ textContent }) => textContent));
    await page.reload();
    await expect.poll(shown).toEqual(['bulk d', 'bulk b']);
    await type(page, 'Scope', 'bulk:read', 'combobox');
    await page.keyboard.press('Enter');
    await expect.poll(shown).toEqual(['bulk b']);
    await expectText(page, /Active\s*1.*Revoked\s*2/s, '.chips');
    await visit(tab, service, '/tokens?q=bulk');
    await expect.poll(shown).toEqual(['bulk d', 'bulk b']);
    await press(page, 'Never used');
    await expect.poll(shown).toEqual(['bulk b']);
    await expectText(page, /Active\s*1.*Revoked\s*2/s, '.chips');
    await page.reload();
    await expect.poll(shown).toEqual(['bulk b']);
    await press(page, 'Never used');
    await expect.poll(shown).toEqual(['bulk d', 'bulk b']);
    expect(faultsOf(tab)).toEqual([]);
  });

  test('asks to log in again in the middle of a form, and nothing that was typed is lost', async () => {
    const { service, newPerson } = setting;
    const person = await service.newUser();
    const { context, tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/tokens/new', person);
    await type(page, 'Name', 'typed before the end');
    await type(page, 'In your own API (optional)', 'invoices:read');
    await createLatchkey({ baseUrl: service.url, token: person.token }).revokeAllAccessTokens();
    await press(page, 'Create token');
    await expectText(page, 'Log in again', 'dialog');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('name'));
    await expect.poll(focused).toBe('password');
    await page.keyboard.type('a wrong password');
    await page.keyboard.press('Enter');
    await expectText(page, 'Wrong e-mail or password.', 'dialog');
    expect(await findingsInLooks(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expectText(page, 'You are not logged in any more.', 'form');
    await press(page, 'Create token');
    await expect.poll(focused).toBe('password');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    await named(page, 'Copy the secret', 'button');
    const lk = createLatchkey({ baseUrl: service.url });
    await lk.logIn({ username: person.email, password: person.password });
    const { items } = await lk.listAccessTokens({ query: { tokenType: 'pat' } });
    expect(items).toMatchObject([{ name: 'typed before the end', scopes: ['invoices:read', 'tokens:read'] }]);
    expect(faultsOf(tab, REFUSED)).toEqual([]);

    // An access token that is over is refreshed without a question.
    await context.deleteCookie(...(await context.cookies()).filter(({ name }) => name === 'vai_token'));
    await visit(tab, service, '/tokens');
    await expectText(page, 'typed before the end', 'tbody');
    expect(faultsOf(tab, REFUSED)).toEqual([]);
  });

  test('is the same after a reload, back and forward, and in two tabs', async () => {
    const { service, newPerson } = setting;
    const { context, tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/sessions');
    const titles = { '/sessions': 'Sessions', '/users': 'Users', '/tokens/new': 'New token', '/tokens': 'Tokens' };
    for (const [path, title] of Object.entries(titles)) {
      if (path === '/tokens/new') await press(page, 'Tokens', 'link');
      await press(page, path === '/tokens/new' ? 'New token' : title, 'link');
      await expectText(page, title, 'h1');
      await page.reload();
      await expectText(page, title, 'h1');
      expect(new URL(page.url()).pathname).toBe(`/console${path}`);
      await expect.poll(() => page.title()).toBe(`${title} · Latchkey`);
    }
    for (const title of ['New token', 'Tokens', 'Users', 'Sessions']) {
      await page.goBack();
      await expectText(page, title, 'h1');
    }
    await page.goForward();
    await expectText(page, 'Users', 'h1');

    const second = await openTab(context);
    await visit(second, service, '/tokens');
    await second.page.waitForSelector('.frame');
    // Both tabs refresh at once: neither loses the session.
    await context.deleteCookie(...(await context.cookies()).filter(({ name }) => name === 'vai_token'));
    await Promise.all([page.reload(), second.page.reload()]);
    await Promise.all([page.waitForSelector('.frame'), second.page.waitForSelector('.frame')]);
    // Logging out in one logs out in the other.
    await press(page, 'Log out');
    await named(page, 'E-mail', 'textbox');
    await named(second.page, 'E-mail', 'textbox');
    expect((await context.cookies()).map(({ name }) => name)).toEqual([]);
    expect([...faultsOf(tab, REFUSED), ...faultsOf(second, REFUSED)]).toEqual([]);
  });

  test('shows users to administrators alone, and what a failed request is called in the log', async () => {
    const { service, newPerson } = setting;
    const person = await service.newUser();
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/users', person);
    await expectText(page, 'There is nothing here', 'h1');
    expect(await textOf(page, 'nav')).not.toContain('Users');
    await visit(tab, service, '/tokens/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b');
    await expectText(page, /This does not exist.*Request [0-9a-f-]{36}/s, '[role=alert]');
    const [, id = ''] = /Request (\S+)/.exec(await textOf(page, '[role=alert]')) ?? [];
    expect(service.log.filter((line) => line.includes(id))).toHaveLength(1);
    expect(faultsOf(tab, /status of 404/)).toEqual([]);
  });

  test('manages users: adds one, who logs in, and disables them', async () => {
    const { service, newPerson } = setting;
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/users');
    await press(page, 'Add user');
    await type(page, 'E-mail', 'new@example.org');
    await type(page, 'Name (optional)', 'Somebody New');
    await page.keyboard.press('Enter');
    await press(page, 'Copy the password');
    // All that is not in the dialog is silent.
    await expectText(page, /Copied the password|The text is selected/, 'dialog [role=status]');
    const password = await page.$eval('dialog code', ({ textContent }) => textContent);
    await press(page, 'Done');
    await press(page, 'Somebody New', 'link');
    await press(page, 'Disable');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await createLatchkey({ baseUrl: service.url }).logIn({ username: 'new@example.org', password });
    await press(page, 'Disable');
    await page.waitForSelector('dialog[open]');
    await page.click('dialog .danger');
    await expectText(page, 'Disabled Somebody New.', '[role=status]');
    const again = createLatchkey({ baseUrl: service.url }).logIn({ username: 'new@example.org', password });
    await expect(again).rejects.toMatchObject({ code: 'user_disabled' });
    expect(faultsOf(tab)).toEqual([]);
  });

  test('edits and disables a token, and overwrites nobody else’s edit', async () => {
    const { service, newPerson, admin } = setting;
    const { token, plaintext } = await admin.createAccessToken({ body: { name: 'to edit', scopes: ['a:b'] } });
    const path = { token_id: token.id };
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, `/tokens/${token.id}`);
    await press(page, 'Edit');
    const name = await named(page, 'Name', 'textbox');
    await name.click({ clickCount: 3 });
    await name.type('edited here');
    await admin.updateAccessToken({ path, body: { description: 'edited elsewhere' } });
    await press(page, 'Save');
    await expectText(page, 'Somebody else changed this meanwhile.', 'dialog');
    await page.keyboard.press('Escape');
    await page.reload();
    await expectText(page, 'edited elsewhere', '.details');
    await press(page, 'Edit');
    const again = await named(page, 'Name', 'textbox');
    await again.click({ clickCount: 3 });
    await again.type('edited here');
    await press(page, 'Change');
    await press(page, '7 days', 'radio');
    await press(page, 'Save');
    await expectText(page, 'edited here', 'h1');
    const edited = await admin.getAccessToken({ path });
    expect(edited).toMatchObject({ name: 'edited here', description: 'edited elsewhere', scopes: ['a:b'] });
    expect(Date.parse(edited.expiresAt ?? '')).toBeLessThan(Date.now() + 8 * 86_400_000);

    await press(page, 'Disable');
    await expectText(page, 'Disabled edited here.', '[role=status]');
    const used = createLatchkey({ baseUrl: service.url, token: plaintext });
    await expect(used.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    await press(page, 'Enable');
    await expectText(page, 'Enabled edited here.', '[role=status]');
    expect(await used.getCurrentAccessToken()).toMatchObject({ id: token.id });
    expect(faultsOf(tab, /status of 412/)).toEqual([]);
  });

  test('creates a token for an external owner, and offboards a user after it has shown what that would end', async () => {
    const { service, newPerson, admin } = setting;
    await admin.putExternalUser({ path: { external_id: 'customer-7' }, body: { fullName: 'Customer Seven' } });
    const leaving = await service.newUser('leaving@example.org');
    const lk = createLatchkey({ baseUrl: service.url, token: leaving.token });
    const { plaintext } = await lk.createAccessToken({ body: { name: 'theirs' } });
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/users');
    await press(page, 'External owners');
    await press(page, 'Customer Seven', 'link');
    await expectText(page, /External owner.*customer-7/s, '.details');
    await press(page, 'Show tokens', 'link');
    await expectText(page, 'Tokens of Customer Seven', 'h1');
    await press(page, 'New token', 'link');
    await type(page, 'Name', 'of a customer');
    await press(page, 'Create token');
    await press(page, 'Done');
    await named(page, 'Rotate', 'button');
    const { items } = await admin.listAccessTokens({ query: { externalOwner: 'customer-7' } });
    expect(items).toMatchObject([{ name: 'of a customer' }]);

    const jobs = await admin.createService({ body: { fullName: 'jobs', managers: [1], scopes: ['jobs:run'] } });
    await visit(tab, service, `/users/${String(jobs.id)}`);
    await expectText(page, /Service.*Managers\s*admin@latchkey\.local.*Scopes it may have\s*jobs:run/s, '.details');

    await visit(tab, service, `/users/${String(leaving.session.id)}`);
    await press(page, 'Offboard');
    await expectText(page, '1 session ends, 1 token revoked', 'dialog');
    await press(page, 'Give them to another owner, with the same secrets', 'radio');
    await (await named(page, 'Find an owner', 'searchbox')).type('ADMIN@');
    await press(page, '+ admin@latchkey.local');
    await expectText(page, '1 session ends, 1 token given to the new owner', 'dialog');
    await page.click('dialog .danger');
    await expectText(page, 'Offboarded Name of leaving@example.org.', '[role=status]');
    const { user } = await createLatchkey({ baseUrl: service.url, token: plaintext }).getMe();
    expect(user.email).toBe(ADMIN.email);
    await expect(lk.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(faultsOf(tab)).toEqual([]);
  });

  test('shows where one is logged in, and ends all other sessions', async () => {
    const { service, newPerson } = setting;
    const person = await service.newUser();
    const { tab } = await newPerson();
    const { page } = tab;
    await logInAt(tab, service, '/sessions', person);
    await expectText(page, /Chrome.*This session.*Logged in/s, '.cards');
    const phone = createLatchkey({ baseUrl: service.url });
    const headers = { 'User-Agent': 'Mozilla/5.0 (iPhone) Version/18.5 Mobile Safari/604.1 <img src=x>' };
    await phone.logIn({ body: { username: person.email, password: person.password }, headers });
    await page.reload();
    await press(page, 'End the session of Safari, iOS');
    await expectText(page, 'Ended the session.', '[role=status]');
    await expect(phone.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    await expect.poll(() => textOf(page, '.cards')).not.toContain('Safari');
    await press(page, 'End all others');
    await page.waitForSelector('dialog[open]');
    await page.click('dialog .danger');
    await expectText(page, 'Ended 1 session.', '[role=status]');
    const other = createLatchkey({ baseUrl: service.url, token: person.token });
    await expect(other.getMe()).rejects.toMatchObject({ code: 'unauthorized' });
    await expectText(page, 'You are logged in nowhere else.');
    expect(faultsOf(tab)).toEqual([]);
  });
});
