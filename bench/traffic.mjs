// @ts-check
import { Agent, request as send } from 'node:http';
import { percentile } from './figures.mjs';

/**
 * @typedef {import('./databases.mjs').RealToken} RealToken
 *
 * @typedef {object} Interval
 * @property {number} requests
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 * @property {Record<string, number>} statuses the number of answers by status; `none` counts requests without an answer
 *
 * @typedef {{ method: string, path: string, token: string, body?: object | string, read?: (body: any) => void }} Call
 */

const ROOT = '/api/v1/access-tokens';
/** Created tokens from which on each new one causes another to be revoked. */
const MOST_CREATED = 500;
const LEAST_CREATED = 50;
/** Shares of a hundred requests. */
const MIX = { verify: 55, list: 15, create: 12, rotate: 6, revoke: 7, introspect: 5 };
/** Milliseconds. */
const BEAT = 10;

/**
 * Sends a mix of requests at a fixed rate per second, however long the answers take, until it is stopped.
 *
 * @param {string} url
 * @param {RealToken[]} tokens
 * @param {number} rate
 */
export function startTraffic(url, tokens, rate) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  /** @type {RealToken[]} */
  const created = [];
  const { hostname, port } = new URL(url);
  const begin = performance.now();
  let sent = 0;
  let waiting = 0;
  let latencies = [0].slice(1);
  /** @type {Record<string, number>} */
  let statuses = {};

  const one = (/** @type {number} */ due) => {
    const { method, path, token, body, read } = nextCall(tokens, created);
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
    const type = typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/json';
    const headers = {
      Authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }),
    };
    waiting++;
    const done = (/** @type {string} */ status) => {
      waiting--;
      statuses[status] = (statuses[status] ?? 0) + 1;
      // From when the request was due, so that waiting behind a slow one counts.
      latencies.push(performance.now() - due);
    };
    const request = send({ hostname, port, method, path, headers, agent }, (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', () => done('none'));
      response.on('end', () => {
        done(String(response.statusCode));
        if (read !== undefined && response.statusCode === 201) read(JSON.parse(Buffer.concat(chunks).toString()));
      });
    });
    request.on('error', () => done('none'));
    request.end(body === undefined ? undefined : text);
  };

  const timer = setInterval(() => {
    const due = ((performance.now() - begin) / 1_000) * rate;
    for (; sent < due; sent++) one(begin + (sent / rate) * 1_000);
  }, BEAT);

  return {
    /** The figures since the last call. @returns {Interval} */
    take() {
      const sorted = Float64Array.from(latencies).sort();
      const interval = {
        ...{ requests: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
        statuses,
      };
      [latencies, statuses] = [[], {}];
      return interval;
    },
    async stop() {
      clearInterval(timer);
      while (waiting > 0) await new Promise((resolve) => setTimeout(resolve, BEAT));
      agent.destroy();
    },
  };
}

/** @param {RealToken[]} tokens @param {RealToken[]} created @returns {Call} */
function nextCall(tokens, created) {
  const token = any(tokens);
  const { plaintext } = token;
  let kind = pick();
  if (kind === 'create' && created.length > MOST_CREATED) kind = 'revoke';
  if ((kind === 'revoke' || kind === 'rotate') && created.length < LEAST_CREATED) kind = 'create';
  if (kind === 'list') return { method: 'GET', path: `${ROOT}?limit=50`, token: plaintext };
  if (kind === 'introspect') {
    return { method: 'POST', path: '/oauth/introspect', token: plaintext, body: `token=${any(tokens).plaintext}` };
  }
  if (kind === 'create') {
    const read = (/** @type {any} */ { token: { id } }) => created.push({ ...token, id });
    return { method: 'POST', path: ROOT, token: plaintext, body: { name: 'soaked', expiresInDays: 30 }, read };
  }
  if (kind === 'rotate') {
    const { id, plaintext: owner } = any(created);
    return { method: 'POST', path: `${ROOT}/${id}/rotate`, token: owner, body: { gracePeriodSeconds: 0 } };
  }
  if (kind === 'revoke') {
    const { id, plaintext: owner } = /** @type {RealToken} */ (created.shift());
    return { method: 'DELETE', path: `${ROOT}/${id}`, token: owner };
  }
  return { method: 'POST', path: `${ROOT}/verify`, token: plaintext, body: { token: any(tokens).plaintext } };
}

function pick() {
  let place = Math.random() * 100;
  for (const [kind, share] of Object.entries(MIX)) {
    place -= share;
    if (place < 0) return kind;
  }
  return 'verify';
}

/** @template T @param {T[]} some @returns {T} */
function any(some) {
  return /** @type {T} */ (some[Math.floor(Math.random() * some.length)]);
}
