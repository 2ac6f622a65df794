// @ts-check
import { serve } from '@hono/node-server';
import { honoAuth } from '@latchkey/client/hono';
import { Hono } from 'hono';
import { port, verifier } from './verifier.js';

const app = new Hono();

app.get('/hello', honoAuth(verifier, { optional: true }), (c) => {
  return c.text(`Hello ${c.get('auth')?.owner.email ?? 'stranger'}\n`);
});

app.get('/invoices', honoAuth(verifier, { scopes: ['invoices:read'] }), (c) => {
  return c.text(`Invoices of ${c.get('auth').owner.email}, shown to ${c.get('auth').token.name}\n`);
});

serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (address) => {
  console.log('listening on', address);
});
