// @ts-check
import Router from '@koa/router';
import { koaAuth } from '@latchkey/client/koa';
import Koa from 'koa';
import { port, verifier } from './verifier.js';

const app = new Koa();
const router = new Router();

router.get('/hello', koaAuth(verifier, { optional: true }), (ctx) => {
  ctx.body = `Hello ${ctx.state.auth?.owner.email ?? 'stranger'}\n`;
});

router.get('/invoices', koaAuth(verifier, { scopes: ['invoices:read'] }), (ctx) => {
  ctx.body = `Invoices of ${ctx.state.auth.owner.email}, shown to ${ctx.state.auth.token.name}\n`;
});

app.use(router.routes());
const server = app.listen(port, '127.0.0.1', () => {
  console.log('listening on', server.address());
});
