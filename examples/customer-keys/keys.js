// @ts-check
import { createLatchkey, LatchkeyError } from '@latchkey/client';
import { Hono } from 'hono';
import { csrf } from 'hono/csrf';
import { customerOf } from './login.js';

/** What a customer may choose from. The backend's own token has more scopes, which no customer's key should get. */
const SCOPES = ['orders:read', 'orders:write'];
const LIFETIME_DAYS = 90;
/** How long the earlier secret stays valid after a rotation. */
const GRACE_SECONDS = 24 * 60 * 60;

// Reads LATCHKEY_URL and LATCHKEY_TOKEN. The token is the backend's own, and no page ever gets it.
const lk = createLatchkey.fromEnvironment();

/**
 * What the shop's page asks for the customer who is logged in. The customer comes from the session alone, never from the request's body or path,
 * so that nobody can name another customer.
 *
 * @type {Hono<{ Variables: { customer: import('./login.js').Customer } }>}
 */
export const keys = new Hono();

// A page of another origin can send a form or an empty body with the customer's cookie, which csrf() rejects. It cannot send JSON or
// DELETE, because this server answers no preflight. If you add CORS, give these routes none.
keys.use(csrf(), async (c, next) => {
  c.header('Cache-Control', 'no-store');
  const customer = customerOf(c);
  if (customer === undefined) return c.json({ message: 'Log in first.' }, 401);
  c.set('customer', customer);
  return await next();
});

keys.get('/', async (c) => {
  const { id, name } = c.get('customer');
  return c.json({ customer: name, keys: await keysOf(id) });
});

keys.post('/', async (c) => {
  const { id, name: fullName, plan } = c.get('customer');
  const { name, scopes } = Object(await c.req.json().catch(() => undefined));
  if (!Array.isArray(scopes) || !scopes.every((scope) => SCOPES.includes(scope))) {
    return c.json({ message: `A key can have these scopes: ${SCOPES.join(', ')}.` }, 422);
  }
  // Creates the owner with its first key, and replaces what is known of it with later ones.
  await lk.putExternalUser({ path: { external_id: id }, body: { fullName, metadata: { plan } } });
  const { plaintext, token } = await lk.as({ externalOwner: id }).createAccessToken({
    body: { name, scopes, expiresInDays: LIFETIME_DAYS },
    idempotencyKey: c.req.header('Idempotency-Key'),
  });
  return c.json({ plaintext, key: toKey(token) }, 201);
});

keys.post('/:id/rotate', async (c) => {
  const { plaintext, token } = await lk.as({ externalOwner: c.get('customer').id }).rotateAccessToken({
    path: { token_id: c.req.param('id') },
    body: { gracePeriodSeconds: GRACE_SECONDS },
    idempotencyKey: c.req.header('Idempotency-Key'),
  });
  return c.json({ plaintext, key: toKey(token) });
});

keys.delete('/:id', async (c) => {
  await lk.as({ externalOwner: c.get('customer').id }).revokeAccessToken({ path: { token_id: c.req.param('id') } });
  return c.body(null, 204);
});

keys.onError((error, c) => {
  if (!(error instanceof LatchkeyError)) throw error;
  switch (error.code) {
    case 'invalid_input':
      return c.json({ message: error.problems.map(({ message }) => message).join(' ') }, 422);
    case 'not_found':
    case 'owner_not_found':
      return c.json({ message: 'You have no such key.' }, 404);
    case 'token_limit_reached':
      return c.json({ message: 'You have too many keys. Revoke one first.' }, 409);
    case 'token_expired':
    case 'token_revoked':
      return c.json({ message: 'This key is not valid any more.' }, 409);
    case 'owner_disabled':
      return c.json({ message: 'Your account is suspended.' }, 409);
    default:
      // All others are for you and not for the customer: for example, the backend's token is not valid, or Latchkey cannot be reached.
      console.error(`${error.code}: ${error.message} (request ${error.requestId ?? 'unknown'})`);
      return c.json({ message: 'This did not work. Please try again later.' }, 503);
  }
});

/** @param {string} externalOwner */
async function keysOf(externalOwner) {
  const found = [];
  try {
    for await (const token of lk.as({ externalOwner }).accessTokens.all()) found.push(toKey(token));
  } catch (error) {
    // Before the first key, Latchkey does not know the customer.
    if (!(error instanceof LatchkeyError && error.code === 'owner_not_found')) throw error;
  }
  return found;
}

/** @param {import('@latchkey/client').AccessToken} token */
function toKey({ id, name, scopes, tokenPrefix, expiresAt, lastUsedAt, previousSecret }) {
  return {
    id,
    name,
    scopes,
    tokenPrefix,
    expiresAt,
    lastUsedAt,
    earlierValidUntil: previousSecret?.validUntil ?? null,
  };
}
