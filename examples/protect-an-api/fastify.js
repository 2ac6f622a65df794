// @ts-check
import { authenticated, fastifyAuth } from '@latchkey/client/fastify';
import { fastify } from 'fastify';
import { port, verifier } from './verifier.js';

const app = fastify();

// Authenticates every route of this Fastify scope. A route's own requirements are in its `config.auth`.
await app.register(fastifyAuth, { verifier });

app.get('/hello', { config: { auth: { optional: true } } }, ({ auth }) => {
  return `Hello ${auth?.owner.email ?? 'stranger'}\n`;
});

const mayRead = { config: { auth: { scopes: ['invoices:read'] } } };
const listInvoices = authenticated(({ auth }) => `Invoices of ${auth.owner.email}, shown to ${auth.token.name}\n`);
app.get('/invoices', mayRead, listInvoices);

await app.listen({ port, host: '127.0.0.1' });
console.log('listening on', app.server.address());
