// @ts-check
import { honoAuth } from '@latchkey/client/hono';
import { createVerifier } from '@latchkey/client/middleware';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';

// Reads LATCHKEY_URL and LATCHKEY_TOKEN. Programs send their key in a header, so that no page can send it by a cookie.
const verifier = createVerifier.fromEnvironment({
  authMethods: ['bearer', 'apiKey'],
  onRefusal: ({ status, reason, token }) => console.log(`${status} ${reason} ${token?.name ?? '-'}`),
  onError: ({ status, message }) => console.error(`${status} ${message}`),
});

/**
 * The orders of each customer, by the customer's id.
 *
 * @type {Map<string, { article: string }[]>}
 */
const orders = new Map();

/** The shop's API, which its customers call with their keys. */
export const api = new Hono();

api.get('/orders', honoAuth(verifier, { scopes: ['orders:read'] }), (c) => {
  const customer = customerOfKey(c.get('auth'));
  return c.json({ customer, orders: orders.get(customer) ?? [] });
});

api.post('/orders', honoAuth(verifier, { scopes: ['orders:write'] }), async (c) => {
  const customer = customerOfKey(c.get('auth'));
  const { article } = Object(await c.req.json().catch(() => undefined));
  if (typeof article !== 'string' || article === '') throw new HTTPException(422, { message: 'article is missing' });
  orders.set(customer, [...(orders.get(customer) ?? []), { article }]);
  return c.json({ article }, 201);
});

/** @param {import('@latchkey/client/middleware').Auth} auth */
function customerOfKey({ owner }) {
  // A valid token can also belong to a person or a service of yours, which is no customer.
  if (owner.externalId === null) throw new HTTPException(403, { message: 'This token belongs to no customer.' });
  return owner.externalId;
}
