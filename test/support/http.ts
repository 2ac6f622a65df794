import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The parsed text if its content type is JSON; undefined otherwise. */
  body: unknown;
}

export interface RequestParts {
  /** Sent as a bearer credential. */
  token?: string;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent unchanged, as `application/json` unless `headers` has another content type. */
  body?: string | Buffer;
  /** A list is sent as several headers of one name; undefined removes a default header. */
  headers?: Record<string, string | string[] | undefined>;
  /** The connections to use. By default, each request has a connection of its own. */
  agent?: Agent;
}

/** Sends `line`, such as `GET /path?query`, unchanged: the path is not normalised or encoded. Follows no redirects. */
export function send(
  { url }: { url: string },
  line: `${string} ${string}`,
  { token, json, body = json === undefined ? undefined : JSON.stringify(json), headers = {}, agent }: RequestParts = {},
): Promise<Answer> {
  const space = line.indexOf(' ');
  const [method, path] = [line.slice(0, space), line.slice(space + 1)];
  const all: Record<string, string | string[] | undefined> = {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    ...headers,
  };
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers: sent, agent: agent ?? false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve(toAnswer(response.statusCode ?? 0, response.headers, text));
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function toAnswer(status: number, headers: IncomingHttpHeaders, text: string): Answer {
  const isJson = /^application\/json(;|$)/.test(headers['content-type'] ?? '') && text !== '';
  return { status, headers, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
}
