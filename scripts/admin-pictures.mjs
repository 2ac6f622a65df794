// Takes the pictures of the reference and of the console's pages for events, webhooks and the policy, each in light and in
// dark, from a service in which something has happened. Run `npm run build` before; the arguments are the names of pictures.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { launch } from 'puppeteer-core';
import { createLatchkey } from '../dist/client/index.js';
import { startServer } from '../dist/server/index.js';
import { withPalette } from './palette.mjs';

const ADMIN = { email: 'admin@example.org', password: 'correct horse battery staple' };
const WIDTH = 1200;
/** Unless a page is longer. */
const HEIGHT = 760;

/** The pages, and what is pressed on each before its picture is taken. */
const PAGES = {
  reference: { path: '/reference#createAccessToken' },
  events: { path: '/console/events', press: '.events li:nth-child(2) summary' },
  webhooks: { path: '/console/webhooks' },
  webhook: { path: (webhook) => `/console/webhooks/${webhook}` },
  policy: { path: '/console/policy', press: 'form button[type=submit]', height: 1_180 },
};

const names = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'latchkey-pictures-'));
const receiver = createServer((request, response) => {
  request.resume();
  response.writeHead(request.url === '/broken' ? 500 : 204).end();
});
await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const browser = await launch({
  executablePath: await chromium.executablePath(),
  headless: 'shell',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  const { server, webhook } = await prepare(`http://127.0.0.1:${receiver.address().port}`);
  try {
    for (const [name, { path, press, height = HEIGHT }] of Object.entries(PAGES)) {
      if (names.length > 0 && !names.includes(name)) continue;
      for (const scheme of ['light', 'dark']) {
        const page = await open(server.url, scheme, height);
        await page.goto(server.url + (typeof path === 'function' ? path(webhook) : path));
        await page.waitForNetworkIdle({ idleTime: 300 });
        if (press !== undefined) {
          await page.locator(press).click();
          await page.waitForNetworkIdle({ idleTime: 300 });
        }
        await page.mouse.move(0, 0);
        await writeFile(`docs/images/${name}-${scheme}.png`, withPalette(await page.screenshot()));
        await page.close();
      }
    }
  } finally {
    await server.close();
  }
} finally {
  await browser.close();
  receiver.close();
  await rm(folder, { recursive: true, force: true });
}

/** Starts a service in which something has happened before its policy was made. */
async function prepare(target) {
  const options = {
    port: 0,
    database: join(folder, 'latchkey.db'),
    adminEmail: ADMIN.email,
    adminPassword: ADMIN.password,
    webhookAllow: ['127.0.0.0/8'],
    logLevel: 'error',
  };
  const before = await startServer(options);
  const lk = createLatchkey({ baseUrl: before.url });
  await lk.logIn({ username: ADMIN.email, password: ADMIN.password });
  const { webhook } = await lk.createWebhook({
    body: {
      url: `${target}/hooks/latchkey`,
      description: 'Tells the security channel',
      eventTypes: ['token.created', 'token.leaked', 'token.revoked'],
    },
  });
  await lk.createWebhook({ body: { url: `${target}/broken`, description: 'Mirror of the audit log' } });
  const made = {};
  for (const [name, expiresInDays] of [
    ['nightly report', null],
    ['deploy bot', null],
    ['status page', null],
    ['laptop', 90],
    ['import of March', 30],
  ]) {
    const { token } = await lk.createAccessToken({ body: { name, expiresInDays, scopes: ['tokens:read'] } });
    made[name] = token.id;
  }
  const edit = { description: 'Ships what main builds.', scopes: ['tokens:read', 'tokens:write'] };
  await lk.updateAccessToken({ path: { token_id: made['deploy bot'] }, body: edit });
  await lk.revokeAccessToken({ path: { token_id: made['import of March'] } });
  await lk.testWebhook({ path: { webhook_id: webhook.id } });
  // The deliveries are under way.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await before.close();
  const server = await startServer({ ...options, maxLifetimeDays: 90, requireExpiry: true, maxTokensPerOwner: 100 });
  return { server, webhook: webhook.id };
}

/** Opens a page in these colours, logged in. */
async function open(url, scheme, height) {
  const page = await browser.newPage();
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width: WIDTH, height });
  await page.goto(`${url}/console`);
  await page.waitForSelector('.frame, [name=email]');
  if ((await page.$('.frame')) === null) {
    await page.type('[name=email]', ADMIN.email);
    await page.type('[name=password]', ADMIN.password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.frame');
  }
  return page;
}
