// @ts-check
import { ask, toWire } from './load.mjs';

/**
 * @typedef {import('./databases.mjs').RealToken} RealToken
 *
 * @typedef {object} Operation
 * @property {string} name
 * @property {number} status
 * @property {(url: string, tokens: RealToken[]) => Promise<RealToken[]>} [prepare] adds what a request needs, such as cursors
 * @property {(tokens: RealToken[], index: number) => string | undefined} request the text of a request; undefined after the last one
 */

const ROOT = '/api/v1/access-tokens';

/** In the order of measurement: operations that change the database come last. @type {Operation[]} */
export const OPERATIONS = [
  {
    name: 'me',
    status: 200,
    request: (tokens, index) => toWire({ method: 'GET', path: '/api/v1/auth/me', token: at(tokens, index).plaintext }),
  },
  {
    name: 'get',
    status: 200,
    request: (tokens, index) => {
      const { plaintext, id } = at(tokens, index);
      return toWire({ method: 'GET', path: `${ROOT}/${id}`, token: plaintext });
    },
  },
  {
    name: 'verify',
    status: 200,
    request: (tokens, index) =>
      toWire({
        method: 'POST',
        path: `${ROOT}/verify`,
        token: at(tokens, index).plaintext,
        // Another token, often of another owner.
        body: { token: at(tokens, 7 * index + 3).plaintext },
      }),
  },
  {
    name: 'list 50',
    status: 200,
    request: (tokens, index) => toWire({ method: 'GET', path: `${ROOT}?limit=50`, token: at(tokens, index).plaintext }),
  },
  {
    name: 'next 50',
    status: 200,
    prepare: (url, tokens) => Promise.all(onePerOwner(tokens).map((token) => withCursor(url, token))),
    request: (tokens, index) => {
      const { plaintext, cursor } = at(tokens, index);
      return toWire({ method: 'GET', path: `${ROOT}?limit=50&cursor=${cursor}`, token: plaintext });
    },
  },
  {
    name: 'create',
    status: 201,
    request: (tokens, index) =>
      toWire({
        method: 'POST',
        path: ROOT,
        token: at(tokens, index).plaintext,
        body: { name: `made by the benchmark ${index}`, expiresInDays: 30 },
      }),
  },
];

/** Revokes the tokens that `create` made, each of them once. @type {Operation} */
export const REVOKE = {
  name: 'revoke',
  status: 204,
  request: (tokens, index) => {
    const token = tokens[index];
    return token && toWire({ method: 'DELETE', path: `${ROOT}/${token.id}`, token: token.plaintext });
  },
};

/** @param {RealToken[]} tokens */
function onePerOwner(tokens) {
  return [...new Map(tokens.map((token) => [token.owner, token])).values()];
}

/** @param {string} url @param {RealToken} token @returns {Promise<RealToken>} */
async function withCursor(url, token) {
  const { body } = await ask(url, toWire({ method: 'GET', path: `${ROOT}?limit=50`, token: token.plaintext }));
  return { ...token, cursor: JSON.parse(body).nextCursor };
}

/** @param {RealToken[]} tokens @param {number} index */
function at(tokens, index) {
  return /** @type {RealToken} */ (tokens[index % tokens.length]);
}
