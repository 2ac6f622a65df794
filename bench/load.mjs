// @ts-check
import { connect } from 'node:net';
import { percentile } from './figures.mjs';
import { startStopwatch } from './process.mjs';

// A closed loop: each connection sends its next request when the last one is answered. It must cost much less than what it
// measures, and measure microseconds; autocannon does neither.

/**
 * @typedef {object} Wish
 * @property {number} connections
 * @property {number} seconds
 * @property {number} status that every answer must have
 * @property {(index: number) => string | undefined} request the bytes of a request; undefined after the last one
 * @property {(body: string, index: number) => void} [read] gets each body and the index of its request
 * @property {number} [database] process id of the database server, where that is a program of its own
 *
 * @typedef {{ url: string, pid: number }} Server
 *
 * @typedef {object} Round
 * @property {number} requests
 * @property {number} rate requests per second
 * @property {number} cost microseconds of the server's processor time for a request
 * @property {number} [databaseCost] microseconds of the database server's processor time for a request
 * @property {number} busy share of one processor that the server used
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

/**
 * The text of one HTTP request.
 *
 * @param {{ method: string, path: string, token?: string, key?: string, body?: object }} request
 */
export function toWire({ method, path, token, key, body }) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1'];
  if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
  if (key !== undefined) lines.push(`X-API-Key: ${key}`);
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`);
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}

/**
 * Loads a server, or several that share the connections, and resolves after the last answer. Rejects for an answer with
 * another status, and for a closed connection.
 *
 * @param {Server | Server[]} server
 * @param {Wish} wish
 * @returns {Promise<Round>}
 */
export async function load(server, { connections, seconds, status, request, read, database }) {
  const servers = [server].flat();
  const urls = Array.from({ length: connections }, (_, index) => servers[index % servers.length]?.url ?? '');
  const sockets = await Promise.all(
    urls.map((url) => {
      const { hostname, port } = new URL(url);
      return open(hostname, Number(port));
    }),
  );
  /** @type {number[]} */
  const latencies = [];
  const usedTime = startStopwatch(servers.map(({ pid }) => pid));
  const databaseTime = database === undefined ? undefined : startStopwatch([database]);
  const begin = performance.now();
  const deadline = begin + seconds * 1_000;
  let sent = 0;
  try {
    await Promise.all(
      sockets.map(
        (socket, place) =>
          new Promise((resolve, reject) => {
            const url = urls[place];
            let start = 0;
            let index = 0;
            const next = () => {
              const text = performance.now() < deadline ? request(sent) : undefined;
              if (text === undefined) {
                resolve(undefined);
                return;
              }
              index = sent++;
              start = performance.now();
              socket.write(text, 'latin1');
            };
            socket.on('error', reject);
            socket.on('close', () => reject(new Error(`${url} closed a connection`)));
            onAnswer(socket, (given, body) => {
              latencies.push(performance.now() - start);
              if (given !== status) {
                reject(new Error(`${url} answered ${given} instead of ${status}: ${body()}`));
                return;
              }
              read?.(body(), index);
              next();
            });
            next();
          }),
      ),
    );
    const elapsed = performance.now() - begin;
    const used = usedTime();
    const sorted = Float64Array.from(latencies).sort();
    return {
      requests: sorted.length,
      rate: sorted.length / (elapsed / 1_000),
      cost: used / sorted.length,
      ...(databaseTime !== undefined && { databaseCost: databaseTime() / sorted.length }),
      busy: used / 1_000 / elapsed,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
    };
  } finally {
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
  }
}

/**
 * Sends one request and returns its answer, with header names in lower case.
 *
 * @param {string} url
 * @param {string} request
 * @returns {Promise<{ status: number, headers: Record<string, string>, body: string }>}
 */
export async function ask(url, request) {
  const { hostname, port } = new URL(url);
  const socket = await open(hostname, Number(port));
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', reject);
      onAnswer(socket, (status, body, head) => {
        const [, ...lines] = head.split('\r\n');
        const headers = lines.map((line) => [
          line.slice(0, line.indexOf(':')).toLowerCase(),
          line.slice(line.indexOf(':') + 1).trim(),
        ]);
        resolve({ status, headers: Object.fromEntries(headers), body: body() });
      });
      socket.write(request);
    });
  } finally {
    socket.destroy();
  }
}

/** @param {string} host @param {number} port @returns {Promise<import('node:net').Socket>} */
function open(host, port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/**
 * Calls `answered` for each complete answer on the socket.
 *
 * @param {import('node:net').Socket} socket
 * @param {(status: number, body: () => string, head: string) => void} answered
 */
function onAnswer(socket, answered) {
  /** @type {Buffer | undefined} the received part of an incomplete answer */
  let begun;
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    const bytes = begun === undefined ? chunk : Buffer.concat([begun, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    const head = headEnd === -1 ? '' : bytes.toString('latin1', 0, headEnd);
    const bodyStart = headEnd + HEAD_END.length;
    if (headEnd === -1 || !isWhole(bytes, head, bodyStart)) {
      begun = bytes;
      return;
    }
    begun = undefined;
    answered(Number(head.slice(9, 12)), () => bytes.toString('utf8', bodyStart), head);
  });
}

/** @param {Buffer} bytes @param {string} head @param {number} bodyStart */
function isWhole(bytes, head, bodyStart) {
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (length !== undefined) return bytes.length >= bodyStart + Number(length);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return true;
  return bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
}
