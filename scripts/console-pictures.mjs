// Takes the pictures of the console in docs/images, each in light and in dark, from a local server with a seed. Run
// `npm run build` before.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { launch } from 'puppeteer-core';
import { createLatchkey } from '../dist/client/index.js';
import { startServer } from '../dist/server/index.js';
import { withPalette } from './palette.mjs';

const [folder = 'docs/images'] = process.argv.slice(2);
const ADA = { username: 'ada@example.org', password: 'correct horse battery staple' };
const DEPLOY = '01a20000-0000-7000-8000-00000000000a';

const token = (name, createdAt, expiresAt, lastUsedAt, scopes, more = {}) => ({
  name,
  createdAt,
  ...(expiresAt && { expiresAt }),
  ...(lastUsedAt && { lastUsedAt }),
  scopes,
  ...more,
});
const SEED = {
  users: [
    {
      email: ADA.username,
      password: ADA.password,
      fullName: 'Ada Lovelace',
      isAdmin: true,
      tokens: [
        token('deploy bot', '-12d', '+78d', '-3h', ['deployments:write', 'tokens:read'], {
          id: DEPLOY,
          description: 'Ships what main builds. Its secret is in the vault under ci/deploy.',
          metadata: { team: 'platform' },
        }),
        token('nightly report', '-86d', '+4d', '-9h', ['invoices:read', 'reports:write']),
        token('billing job', '-200d', undefined, '-2d', ['invoices:read', 'invoices:send', 'customers:read']),
        token('metrics reader', '-41d', '+324d', '-1h', ['metrics:read']),
        token('staging deploy', '-3d', '+27d', undefined, ['deployments:write']),
        token('laptop of Ada', '-64d', '+26d', '-20h', ['tokens:read', 'tokens:write']),
        token('old laptop', '-120d', '+60d', '-31d', ['tokens:read'], { disabled: true }),
        token('old pipeline', '-300d', '-10d', '-12d', ['deployments:write']),
        token('trial', '-90d', '+10d', undefined, ['tokens:read'], { revokedAt: '-80d' }),
      ],
    },
    { email: 'grace@example.org', fullName: 'Grace Hopper', isAdmin: true },
    { email: 'alan@example.org', fullName: 'Alan Turing' },
    { email: 'edsger@example.org', fullName: 'Edsger Dijkstra', disabled: true },
    { email: 'barbara@example.org', fullName: 'Barbara Liskov' },
  ],
};
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1';

const server = await startServer({ port: 0, testing: { seed: SEED } });
const installed = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const browser = await launch({
  executablePath: installed ?? (await chromium.executablePath()),
  headless: 'shell',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-GB', '--hide-scrollbars'],
});
try {
  const lk = createLatchkey({ baseUrl: server.url });
  await lk.logIn({ body: ADA, headers: { 'User-Agent': PHONE } });
  const page = await browser.newPage();
  const media = await page.createCDPSession();
  await page.setViewport({ width: 1180, height: 740 });

  const visit = (path) => page.goto(`${server.url}/console${path}`);
  const ready = (selector) => page.waitForSelector(selector, { visible: true });
  const type = async (name, text) => (await ready(`::-p-aria([name="${name}"][role="textbox"])`)).type(text);
  const press = async (name, role = 'button') => (await ready(`::-p-aria([name="${name}"][role="${role}"])`)).click();
  const shoot = async (name) => {
    for (const colors of ['light', 'dark']) {
      const features = [
        { name: 'prefers-color-scheme', value: colors },
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ];
      await media.send('Emulation.setEmulatedMedia', { features });
      await page.waitForNetworkIdle({ idleTime: 200 });
      const path = join(folder, `${name}-${colors}.png`);
      const picture = withPalette(Buffer.from(await page.screenshot()));
      await writeFile(path, picture);
      console.log(path, picture.length);
    }
  };

  await visit('');
  await ready('[name=email]');
  await shoot('login');
  await page.type('[name=email]', ADA.username);
  await page.type('[name=password]', ADA.password);
  await page.keyboard.press('Enter');
  await ready('tbody tr');
  await shoot('tokens');
  await press('Select nightly report', 'checkbox');
  await press('Select staging deploy', 'checkbox');
  await (await ready('.selection .danger')).click();
  await ready('.names li');
  await shoot('revoke');
  await visit('/tokens/new');
  await type('Name', 'release bot');
  await type('Description (optional)', 'Publishes releases.');
  await shoot('create');
  await press('Create token');
  await ready('.reveal');
  await shoot('secret');
  await lk.rotateAccessToken({ path: { token_id: DEPLOY }, body: { gracePeriodSeconds: 86_400 } });
  await visit(`/tokens/${DEPLOY}`);
  await ready('.events li');
  await shoot('token');
  await visit('/sessions');
  await ready('.cards li');
  await shoot('sessions');
  await visit('/users');
  await ready('tbody tr');
  await shoot('users');
  await visit('/users/2');
  await ready('.details');
  await shoot('user');
  const body = { fullName: 'nightly jobs', managers: [2, 3, 5], scopes: ['reports:write', 'invoices:read'] };
  const { id } = await lk.createService({ body });
  await visit(`/users/${id}`);
  await ready('.details');
  await shoot('service');
} finally {
  await browser.close();
  await server.close();
}
