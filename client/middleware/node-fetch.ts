import type { Fetch } from '../exchange.js';

// What is used of Node, told here because these modules are compiled, and serve, without its types.
interface NodeProcess {
  versions?: Partial<Record<string, string>>;
  getBuiltinModule?(id: string): NodeHttp;
}
interface NodeHttp {
  request(url: string, options: object, answered: (message: Message) => void): Outgoing;
}
interface Outgoing {
  on(event: 'error', listener: (error: Error) => void): void;
  end(body: unknown): void;
  destroy(error: Error): void;
}
interface Message {
  statusCode: number;
  headers: Partial<Record<string, string | string[]>>;
  setEncoding(encoding: 'utf8'): void;
  on(event: 'data', listener: (text: string) => void): void;
  on(event: 'end', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/**
 * As much of `fetch` as a question needs, by `node:http` and its global agent, which keeps connections open: a quarter of
 * the work that Node's own `fetch` makes of it. With `anew` on a connection of its own. Undefined where this is not Node.
 */
export function nodeFetch({ anew }: { anew: boolean }): Fetch | undefined {
  const { versions = {}, getBuiltinModule } = (globalThis as { process?: NodeProcess }).process ?? {};
  // Those that stand in for Node have a `fetch` that is better than their `node:http`.
  const isNode = versions['node'] !== undefined && versions['bun'] === undefined && versions['deno'] === undefined;
  if (!isNode || getBuiltinModule === undefined) return undefined;
  const schemes = { http: getBuiltinModule('node:http'), https: getBuiltinModule('node:https') };

  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const { request } = url.startsWith('https:') ? schemes.https : schemes.http;
      const outgoing = request(url, { method, headers, ...(anew && { agent: false }) }, (message) => {
        let text = '';
        message.setEncoding('utf8');
        message.on('data', (piece) => (text += piece));
        message.on('error', fail);
        message.on('end', () => {
          signal?.removeEventListener('abort', abort);
          resolve(toResponse(message, text));
        });
      });
      function fail(error: Error): void {
        signal?.removeEventListener('abort', abort);
        reject(error);
      }
      // The signal as an option of the request would cost a third of all that is done here.
      function abort(): void {
        outgoing.destroy(new Error('aborted'));
      }
      signal?.addEventListener('abort', abort);
      outgoing.on('error', fail);
      outgoing.end(body);
    });
}

/** What is read of a `Response`, which itself takes no body for some statuses that a server may well send one with. */
function toResponse({ statusCode, headers }: Message, text: string): Response {
  const get = (name: string) => [headers[name.toLowerCase()] ?? []].flat().join(', ') || null;
  return { status: statusCode, headers: { get }, text: () => Promise.resolve(text) } as unknown as Response;
}
