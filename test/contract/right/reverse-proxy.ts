import { Agent, request as ask, createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** How a reverse proxy is set up. */
export interface ReverseProxy {
  /** The path below which it serves, such as `/latchkey`; it removes this path, and adds it to addresses in answers. */
  base?: string;
  /** The certificate and key with which it serves HTTPS. */
  secure?: Pick<ServerOptions, 'cert' | 'key'>;
}

/** Headers about one connection, which a proxy does not pass on (RFC 9110, section 7.6.1). */
const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding'];

/** A reverse proxy in front of `target`, as operators set one up: it says by `X-Forwarded-*` what it was asked. */
export async function startReverseProxy(
  target: string,
  { base = '', secure }: ReverseProxy = {},
): Promise<{ url: string; close(): void }> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const scheme = secure === undefined ? 'http' : 'https';

  const passOn = (request: IncomingMessage, response: import('node:http').ServerResponse) => {
    const path = request.url ?? '/';
    if (!path.startsWith(`${base}/`)) {
      response.writeHead(404).end();
      return;
    }
    const { host = '' } = request.headers;
    const headers = {
      ...without(request.headers),
      'x-forwarded-for': request.socket.remoteAddress,
      'x-forwarded-host': host,
      'x-forwarded-proto': scheme,
    };
    const outgoing = ask({ hostname, port, agent, method: request.method, path: path.slice(base.length), headers });
    outgoing.once('response', (incoming) => {
      void answer(incoming, request, response, `${scheme}://${host}`);
    });
    outgoing.once('error', () => response.writeHead(502).end());
    request.pipe(outgoing);
  };

  async function answer(
    incoming: IncomingMessage,
    request: IncomingMessage,
    response: import('node:http').ServerResponse,
    origin: string,
  ): Promise<void> {
    const { location, ...headers } = without(incoming.headers);
    const moved = location === undefined ? {} : { location: location.replace(/^\//, `${base}/`) };
    if (incoming.headers['content-type']?.startsWith('text/event-stream')) {
      response.writeHead(incoming.statusCode ?? 502, headers);
      await pipeline(incoming, response).catch(() => undefined);
      return;
    }
    const body = await readText(incoming);
    const text = base === '' ? body : body.replaceAll(`"${origin}/`, `"${origin}${base}/`);
    const isBodiless = request.method === 'HEAD' || incoming.statusCode === 204 || incoming.statusCode === 304;
    const length = isBodiless ? {} : { 'content-length': Buffer.byteLength(text) };
    response.writeHead(incoming.statusCode ?? 502, { ...headers, ...moved, ...length });
    response.end(isBodiless ? undefined : text);
  }

  const server = secure === undefined ? createServer(passOn) : createSecureServer(secure, passOn);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}://127.0.0.1:${String((server.address() as AddressInfo).port)}${base}`,
    close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

function without(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name)));
}
