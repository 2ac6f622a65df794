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
}
interface Message {
  statusCode: number;
  headers: Record<string, string | string[]>;
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
      const options = { method, headers, signal, ...(anew && { agent: false }) };
      const outgoing = request(url, options, (message) => {
        let text = '';
        message.setEncoding('utf8');
        message.on('data', (piece) => (text += piece));
        message.on('error', reject);
        message.on('end', () => {
          resolve(toResponse(message, text));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
}

/** A `Response` takes no body for some statuses that a server may well send one with. */
function toResponse({ statusCode, headers }: Message, text: string): Response {
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, [value].flat().join(', ')]);
  return { status: statusCode, headers: new Headers(pairs), text: () => Promise.resolve(text) } as Response;
}
