// @ts-check
import { authenticated, expressAuth } from '@latchkey/client/express';
import express from 'express';
import { port, verifier } from './verifier.js';

const app = express();

app.get('/hello', expressAuth(verifier, { optional: true }), ({ auth }, response) => {
  response.send(`Hello ${auth?.owner.email ?? 'stranger'}\n`);
});

const mayRead = expressAuth(verifier, { scopes: ['invoices:read'] });
const listInvoices = authenticated(({ auth }, response) => {
  response.send(`Invoices of ${auth.owner.email}, shown to ${auth.token.name}\n`);
});
app.get('/invoices', mayRead, listInvoices);

const server = app.listen(port, '127.0.0.1', () => {
  console.log('listening on', server.address());
});
