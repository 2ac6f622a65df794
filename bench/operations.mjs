// @ts-check
import { toWire } from './load.mjs';

/**
 * @typedef {import('./databases.mjs').RealToken} RealToken
 *
 * @typedef {object} Operation
 * @property {string} name
 * @property {number} status
 * @property {boolean} [read] whether it changes nothing, so that its requests can be sent again and again
 * @property {(tokens: RealToken[], index: number) => string | undefined} request undefined where there are no more
 */

const ROOT = '/api/v1/access-tokens';

/** In the order in which they are measured: what changes the database comes last. @type {Operation[]} */
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
        // Another one, often of another owner.
        body: { token: at(tokens, 7 * index + 3).plaintext },
      }),
  },
  {
    name: 'list 50',
    status: 200,
    request: (tokens, index) => toWire({ method: 'GET', path: `${ROOT}?limit=50`, token: at(tokens, index).plaintext }),
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

/** Of tokens that were created before: each is revoked once. @type {Operation} */
export const REVOKE = {
  name: 'revoke',
  status: 204,
  request: (tokens, index) => {
    const token = tokens[index];
    return token && toWire({ method: 'DELETE', path: `${ROOT}/${token.id}`, token: token.plaintext });
  },
};

/** @param {RealToken[]} tokens @param {number} index */
function at(tokens, index) {
  return /** @type {RealToken} */ (tokens[index % tokens.length]);
}
