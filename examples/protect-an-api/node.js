// @ts-check
import { createServer } from 'node:http';
import { nodeAuth } from '@latchkey/client/node';
import { port, verifier } from './verifier.js';

/** @type {Record<string, import('node:http').RequestListener>} */
const routes = {
  'GET /hello': nodeAuth(verifier, { optional: true }, ({ auth }, response) => {
    response.end(`Hello ${auth?.owner.email ?? 'stranger'}\n`);
  }),
  'GET /invoices': nodeAuth(verifier, { scopes: ['invoices:read'] }, ({ auth }, response) => {
    response.end(`Invoices of ${auth.owner.email}, shown to ${auth.token.name}\n`);
  }),
};

const server = createServer((request, response) => {
  const [path] = (request.url ?? '').split('?');
  const route = routes[`${request.method} ${path}`];
  if (route === undefined) response.writeHead(404).end();
  else route(request, response);
});
server.listen(port, '127.0.0.1', () => {
  console.log('listening on', server.address());
});
