// @ts-check
import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { csrf } from 'hono/csrf';
import { html } from 'hono/html';

// STAND-IN: this is no login. Everybody can be any customer, without a password. Replace this file with the login of your shop;
// the rest of the example uses `customerOf` and the pages /login and /logout.
if (process.env['NODE_ENV'] === 'production') {
  throw new Error('login.js is a stand-in without passwords: replace it with the login of your shop');
}

/**
 * @typedef {object} Customer
 * @property {string} id Never changes and names nobody: Latchkey's audit log keeps it.
 * @property {string} name
 * @property {string} plan
 */

/** @type {Customer[]} */
const CUSTOMERS = [
  { id: 'cus_42', name: 'Ada Ltd', plan: 'pro' },
  { id: 'cus_43', name: 'Bo & Sons', plan: 'free' },
];
const COOKIE = 'shop_session';

/** @type {Map<string, Customer>} */
const sessions = new Map();

/**
 * The customer who is logged in, or undefined.
 *
 * @param {import('hono').Context} c
 */
export function customerOf(c) {
  return sessions.get(getCookie(c, COOKIE) ?? '');
}

export const login = new Hono();

login.get('/login', (c) =>
  c.html(html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Log in</title>
        <link rel="stylesheet" href="/page.css" />
      </head>
      <body>
        <main>
          <h1>Log in</h1>
          <p>This is a stand-in for the login of a shop. It asks for no password.</p>
          <form method="post" action="/login">
            ${CUSTOMERS.map(({ id, name }) => html`<button name="customer" value="${id}">${name}</button> `)}
          </form>
        </main>
      </body>
    </html>`),
);

login.post('/login', csrf(), async (c) => {
  const { customer: id } = await c.req.parseBody();
  const customer = CUSTOMERS.find((one) => one.id === id);
  if (customer === undefined) return c.redirect('/login', 303);
  const session = randomUUID();
  sessions.set(session, customer);
  // Add `secure: true` where the shop has https.
  setCookie(c, COOKIE, session, { httpOnly: true, sameSite: 'Lax', path: '/' });
  return c.redirect('/', 303);
});

login.post('/logout', csrf(), (c) => {
  sessions.delete(getCookie(c, COOKIE) ?? '');
  deleteCookie(c, COOKIE);
  return c.redirect('/login', 303);
});
