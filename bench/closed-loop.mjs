// @ts-check
import { connect } from 'node:net';

// A closed loop that counts every status: each connection sends its next request when the last one is answered. It writes
// to plain sockets, because an HTTP client would cost more than the server under load.

/**
 * @typedef {object} Outcome
 * @property {Map<number, number[]>} latencies milliseconds, by status
 * @property {number} broken connections that the server closed, or that could not be opened
 * @property {number} milliseconds
 */

/**
 * @param {string} url
 * @param {object} options
 * @param {number} options.connections
 * @param {number} options.seconds
 * @param {(count: number) => string} options.request the text of the next request, given the number of requests before it
 * @param {number} [options.pipelining] requests that a connection sends at once; 1 by default
 * @param {number} [options.requests] requests after which the loop ends before its time; no limit by default
 * @returns {Promise<Outcome>}
 */
export async function closedLoop(url, { connections, seconds, request, pipelining = 1, requests = Infinity }) {
  const { hostname, port } = new URL(url);
  /** @type {Map<number, number[]>} */
  const latencies = new Map();
  let broken = 0;
  let count = 0;
  const begin = performance.now();
  const end = begin + seconds * 1_000;

  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      let rest = '';
      let due = 0;
      let sentAt = 0;
      const send = () => {
        due = pipelining;
        sentAt = performance.now();
        socket.write(Array.from({ length: pipelining }, () => request(count++)).join(''), 'latin1');
      };
      await new Promise((resolve) => {
        socket.once('close', () => {
          if (due > 0) broken++;
          resolve(undefined);
        });
        socket.on('error', () => undefined);
        socket.once('connect', send);
        socket.on('data', (chunk) => {
          rest += chunk.toString('latin1');
          for (let size = sizeOfFirst(rest); size !== undefined; size = sizeOfFirst(rest)) {
            const status = Number(rest.slice(9, 12));
            rest = rest.slice(size);
            const now = performance.now();
            const some = latencies.get(status);
            if (some === undefined) latencies.set(status, [now - sentAt]);
            else some.push(now - sentAt);
            if (--due > 0) continue;
            if (now < end && count < requests) send();
            else socket.destroy();
          }
        });
      });
    }),
  );
  return { latencies, broken, milliseconds: performance.now() - begin };
}

/** Characters of the first answer in `text`; undefined while it is incomplete. @param {string} text */
function sizeOfFirst(text) {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const [, length = '0'] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2)) ?? [];
  const size = head + 4 + Number(length);
  return text.length < size ? undefined : size;
}

/** @param {number[]} values @param {number} share such as 0.99 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
