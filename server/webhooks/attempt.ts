import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { DeliveryError } from '../database/index.js';
import { clearTimeout, setTimeout } from '../timers.js';
import { hostOf, type Target } from './targets.js';

/** Milliseconds from the connection to the answer. */
const TIMEOUT = 15_000;
/** Bytes of an answer's body that are read and dropped, so that the other side can finish it. */
const MOST_READ = 65_536;
/** Milliseconds for the same. */
const READ_TIME = 1_000;

/** What came of sending a delivery once. */
export interface Outcome {
  /** Null if it was taken. */
  error: DeliveryError | null;
  /** The HTTP status; null if there was no answer. */
  status: number | null;
  /** Milliseconds that the answer asks to wait by `Retry-After`; null if it does not. */
  retryAfter: number | null;
}

export interface Message {
  body: string;
  headers: Readonly<Record<string, string>>;
}

/** Sends a message once. Rejects only if `signal` aborts. */
export type Send = (target: Target, address: string, message: Message, signal: AbortSignal) => Promise<Outcome>;

/**
 * Sends by POST to exactly `address`, and follows no redirect. `ca` replaces the authorities whose certificates are trusted, and
 * `timeout` the milliseconds from the connection to the answer.
 */
export function createSend(ca?: string, timeout = TIMEOUT): Send {
  return ({ url }, address, { body, headers }, signal) =>
    new Promise((resolve, reject) => {
      const host = hostOf(url);
      const isSecure = url.protocol === 'https:';
      const begin = isSecure ? requestHttps : requestHttp;
      const request = begin({
        host: address,
        port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        // A connection of its own, because a kept one could be to an address that is not allowed any more.
        agent: false,
        // Not for addresses, which have no server name. The certificate is checked for it.
        ...(isSecure && isIP(host) === 0 && { servername: host }),
        ...(ca !== undefined && { ca }),
        headers: {
          Host: url.host,
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          'User-Agent': 'Latchkey-Webhooks',
          ...headers,
        },
      });
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        request.destroy();
      }, timeout);
      const abort = () => {
        request.destroy();
        finish();
        reject(new Error('aborted'));
      };
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort);
      request.once('response', (response) => {
        finish();
        drain(response);
        resolve(outcomeOf(response));
      });
      // Without this, Node would close the connection of an answer with the status 101 and tell nobody.
      request.once('upgrade', (response, socket) => {
        finish();
        socket.destroy();
        resolve(outcomeOf(response));
      });
      request.on('error', (error) => {
        finish();
        resolve({ error: isLate ? 'timeout' : errorOf(error), status: null, retryAfter: null });
      });
      // However the connection ended: an attempt that never ends would hold up the webhook for ever.
      request.once('close', () => {
        finish();
        resolve({ error: isLate ? 'timeout' : 'connection', status: null, retryAfter: null });
      });
      request.end(body);
    });
}

function outcomeOf({ statusCode: status = 0, headers }: IncomingMessage): Outcome {
  // Node's parser takes any three digits.
  if (status < 100) return { error: 'connection', status: null, retryAfter: null };
  const error = status >= 200 && status < 300 ? null : status >= 300 && status < 400 ? 'redirect' : 'status';
  return { error, status, retryAfter: retryAfterOf(headers['retry-after']) };
}

/** A number of seconds. A date would depend on the other side's clock, so it is ignored. */
function retryAfterOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : null;
}

function drain(response: IncomingMessage): void {
  let read = 0;
  const timer = setTimeout(() => response.destroy(), READ_TIME);
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > MOST_READ) response.destroy();
  });
  response.once('close', () => {
    clearTimeout(timer);
  });
}

function errorOf(error: Error): DeliveryError {
  const { code = '' } = error as NodeJS.ErrnoException;
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|EPROTO|HOSTNAME_MISMATCH)/.test(code)
    ? 'tls'
    : 'connection';
}
