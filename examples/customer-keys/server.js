// @ts-check
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { api } from './api.js';
import { keys } from './keys.js';
import { customerOf, login } from './login.js';

const app = new Hono();

// No inline script and no other site's script: a script in this page could read a new key.
const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
};
app.use(secureHeaders({ contentSecurityPolicy }), bodyLimit({ maxSize: 100_000 }));

app.route('/api', api);
app.route('/keys', keys);
app.route('/', login);
app.get('/', async (c, next) => (customerOf(c) === undefined ? c.redirect('/login') : await next()));
app.get('/*', serveStatic({ root: join(import.meta.dirname, 'public') }));

serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000), hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}`);
});
