import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A text with every kind of control sequence, and with a line that looks like the command's own output. */
export const HOSTILE = 'evil\u001B]0;owned\u0007\u001B[2J\u009B31m\u202E\u2066\r\nFORGED\tlatchkey';
/** The part of `HOSTILE` that a header can have: Node's client and server reject the rest. */
const HOSTILE_HEADER = 'evil\u009B31m';

interface Ref {
  $ref: string;
}
interface Operation {
  operationId: string;
  responses: Record<string, Answer | Ref>;
}
interface Answer {
  content?: Record<string, { examples?: Record<string, Ref> }>;
}

const document = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};

const ROUTES = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { responses }]) => ({
    pattern: new RegExp(`^${method} ${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/?]+')}(\\?.*)?$`, 'i'),
    ...successOf(responses),
  })),
);

/** Members that keep their value, because commands need valid tokens to log in. */
const SPARED = new Set(['access_token', 'token_access', 'refresh_token', 'plaintext']);

/**
 * Starts a service whose answers have the contract's shape, with `HOSTILE` as every text and as a name in metadata. With
 * `refusal`, it sends that to every request instead.
 */
export async function serveHostile(refusal?: { status: number; body: unknown }): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      const asked = `${request.method ?? ''} ${request.url ?? ''}`;
      const found = ROUTES.find(({ pattern }) => pattern.test(asked));
      const { status, body } = refusal ?? { status: found?.status ?? 404, body: hostile(found?.body) };
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'X-Request-Id': HOSTILE_HEADER,
        'Latchkey-Token-Expires-At': HOSTILE_HEADER,
      });
      response.end(status === 204 ? undefined : JSON.stringify(body));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function successOf(responses: Record<string, Answer | Ref>): { status: number; body: unknown } {
  const [status = '404', answer] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? [];
  const { content = {} } = answer === undefined ? {} : resolved<Answer>(answer);
  const [example] = Object.values(content['application/json']?.examples ?? {});
  return { status: Number(status), body: example && resolved<{ value: unknown }>(example).value };
}

function resolved<T extends object>(node: T | Ref): T {
  if (!('$ref' in node)) return node;
  const found = node.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document);
  return found as T;
}

function hostile(value: unknown, name = ''): unknown {
  if (name === 'nextCursor') return null;
  if (typeof value === 'string') return SPARED.has(name) ? value : HOSTILE;
  if (Array.isArray(value)) return value.map((one) => hostile(one, name));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, inner]) => [key, hostile(inner, key)] as const);
  return Object.fromEntries(name === 'metadata' ? [[HOSTILE, HOSTILE], ...members] : members);
}
