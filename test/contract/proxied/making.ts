import { setTimeout as wait } from 'node:timers/promises';
import type { Ask, Asked, Body, Fault, Reply } from './proxy.js';

// What faults are made of: each is about some operations of our own service, and changes one thing.

export const ADMIN = { username: 'admin@latchkey.local', password: 'correct horse battery staple' };

const isOf = (operations: string, { operation }: Asked) => operations.split(' ').includes(operation);

export function parse(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Changes the body of successes. */
export function told(
  operations: string,
  change: (body: Body, asked: Asked, service: Ask) => unknown,
  is: (status: number) => boolean = (status) => status < 300,
): Fault {
  return {
    async tell(reply, asked, service) {
      const body = isOf(operations, asked) && is(reply.status) ? parse(reply.text) : undefined;
      if (body === undefined) return;
      await change(body, asked, service);
      reply.text = JSON.stringify(body);
    },
  };
}

/** Changes the body of refusals. */
export const refused = (operations: string, change: (body: Body, asked: Asked) => unknown): Fault =>
  told(operations, change, (status) => status >= 400);

/** Changes an answer, whatever it is. */
export function answered(operations: string, change: (reply: Reply, asked: Asked, service: Ask) => unknown): Fault {
  return {
    async tell(reply, asked, service) {
      if (isOf(operations, asked)) await change(reply, asked, service);
    },
  };
}

/** Changes the body that was sent, before the service sees it. */
export function sent(operations: string, change: (body: Body, asked: Asked) => unknown): Fault {
  return {
    ask(asked) {
      const body = isOf(operations, asked) ? parse(asked.text) : undefined;
      if (body === undefined) return;
      const before = JSON.stringify(body);
      change(body, asked);
      // What is not changed keeps its white space too.
      if (JSON.stringify(body) !== before) asked.text = JSON.stringify(body);
    },
  };
}

/** Changes the request otherwise, or answers it. */
export function asked(operations: string, change: (asked: Asked, service: Ask) => unknown): Fault {
  return { ask: (each, service) => (isOf(operations, each) ? change(each, service) : undefined) };
}

export function both(...faults: Fault[]): Fault {
  return {
    async ask(each, service) {
      for (const fault of faults) {
        const reply = await fault.ask?.(each, service);
        if (reply !== undefined) return reply;
      }
      return undefined;
    },
    async tell(reply, each, service) {
      for (const fault of faults) await fault.tell?.(reply, each, service);
    },
  };
}

/** What every answer of our service has. */
export const USUAL = { 'x-request-id': 'planted', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };

export const json = (status: number, body: object, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { ...USUAL, 'content-type': 'application/json', ...headers },
  text: JSON.stringify(body),
});

/** The Authorization of an administrator of its own. */
export function asAdmin(): (service: Ask) => Promise<string> {
  let session: Promise<string> | undefined;
  return (service) =>
    (session ??= service('POST', '/api/v1/auth/login/', { body: ADMIN }).then(
      ({ text }) => `Bearer ${parse(text)?.access_token ?? ''}`,
    ));
}

/** Passes requests of these operations on as the administrator's where they are refused with one of these statuses. */
export function trusted(
  operations: string,
  statuses: number[],
  change: (each: Asked) => void = () => undefined,
): Fault {
  const admin = asAdmin();
  return answered(operations, async (reply, each, service) => {
    if (!statuses.includes(reply.status)) return;
    const { 'content-type': type } = each.headers;
    change(each);
    const query = each.query.toString();
    const again = await service(each.method, `${each.path}${query === '' ? '' : `?${query}`}`, {
      as: await admin(service),
      headers: type === undefined ? {} : { 'content-type': type },
      body: parse(each.text) ?? (each.text === '' ? undefined : each.text),
    });
    if (again.status < 300) Object.assign(reply, again);
  });
}

export const rowsOf = ({ items, results }: Body): Body[] => items ?? results ?? [];

/** Keeps what it saw of requests that look alike for a while. */
export function stale(operations: string, milliseconds: number): Fault {
  const kept = new Map<string, { reply: Reply; at: number }>();
  const keyOf = ({ method, path, query, headers, text }: Asked) =>
    JSON.stringify([method, path, query.toString(), headers.authorization ?? headers['x-api-key'], text]);
  return {
    ask(each) {
      const known = isOf(operations, each) ? kept.get(keyOf(each)) : undefined;
      return known && Date.now() - known.at < milliseconds ? structuredClone(known.reply) : undefined;
    },
    tell(reply, each) {
      if (isOf(operations, each) && reply.status === 200 && !kept.has(keyOf(each)))
        kept.set(keyOf(each), { reply: structuredClone(reply), at: Date.now() });
    },
  };
}

export async function slow(milliseconds: number): Promise<void> {
  await wait(milliseconds);
}

/** The last part of a path, such as an id. */
export const lastOf = ({ path }: Asked): string => path.split('/').at(-1) ?? '';

/** The query as a list of its operation takes it, on behalf of who asks. */
export function credentialOf({ headers }: Asked): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  const key = headers['x-api-key'];
  return typeof key === 'string' ? `Bearer ${key}` : undefined;
}

export const B = '/api/v1/access-tokens';
export const A = '/api/v1/auth/private_tokens/';

/** The token in an answer that issues one. */
export const tokenIn = ({ token }: Body): Body => (typeof token === 'object' && token !== null ? token : {});
