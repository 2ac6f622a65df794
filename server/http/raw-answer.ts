import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../generated/types.gen.js';
import { JSON_TYPE } from '../contract/operations.js';
import type { Log } from '../log/log.js';
import { setTimeout } from '../timers.js';
import { commonHeaders } from './headers.js';

/** Milliseconds in which a client can read the last answer and close its side; then the connection is cut. */
const FAREWELL = 1_000;

/** Answers what Node's parser rejects, in the contract's shape and with a line in the log, and ends the connection. */
export function rejectRaw(log: Log, socket: Duplex, status: number, headers: string[] = []): void {
  const reason = STATUS_CODES[status] ?? '';
  const code: ErrorCode = status === 405 ? 'method_not_allowed' : 'bad_request';
  const body = JSON.stringify({ detail: `${reason}.`, code });
  const requestId = randomUUID();
  log.info({ method: null, route: null, status, requestId, callerId: null, code }, 'request');
  const fields = [
    ...['Connection', 'close', 'Content-Type', JSON_TYPE, 'Content-Length', String(Buffer.byteLength(body))],
    ...commonHeaders(requestId, { cacheable: false }),
    ...headers,
  ];
  const head = [`HTTP/1.1 ${String(status)} ${reason}\r\n`];
  for (let at = 0; at < fields.length; at += 2) head.push(`${fields[at] ?? ''}: ${fields[at + 1] ?? ''}\r\n`);
  endConnection(socket, `${head.join('')}\r\n${body}`);
}

/** Ends our side of the connection. It is cut soon after, because a client may never close its own side. */
export function endConnection(socket: Duplex, lastText = ''): void {
  socket.end(lastText);
  setTimeout(() => socket.destroy(), FAREWELL).unref();
}
