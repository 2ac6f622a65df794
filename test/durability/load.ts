import { randomUUID } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger.js';
import { ONLY_ONCE } from './once.js';

export type Kind = 'create' | 'revoke' | 'rotate';

/** One request, its instants in the monotonic clock's milliseconds. */
export interface Operation {
  kind: Kind;
  /** When its last byte went to the system; infinite where that never happened. */
  sentAt: number;
  /** When its answer was whole, or its connection broke; infinite before. */
  endedAt: number;
  /** Null where the connection broke before the answer was whole: nobody can say what came of it. */
  status: number | null;
  headers: IncomingHttpHeaders;
}

export interface Load {
  operations: Operation[];
  /** Resolves when so many operations are answered, or when the last connection has ended. */
  answered(count: number): Promise<void>;
  /** Lets what is on its way be answered, and ends. */
  stop(): Promise<void>;
  /** Resolves when the last connection has ended, as they do where the service is gone. */
  ended: Promise<void>;
}

interface Target {
  url: string;
  /** A session's token. */
  token: string;
}

/**
 * Creates, revokes and rotates over so many connections that stay open, one request at a time on each, and enters what is
 * answered into `ledger`. Refusals do not end it, a broken connection does.
 */
export function startLoad({ url, token }: Target, ledger: Ledger, connections: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const operations: Operation[] = [];
  let stopped = false;
  let isOver = false;
  let answered = 0;
  const run = async () => {
    while (!stopped) {
      const { operation, body } = await attempt({ agent, url, token }, ledger, operations);
      if (operation.status === null) return;
      answered++;
      if (body === undefined) await sleep(5);
    }
  };
  const ended = Promise.all(Array.from({ length: connections }, run)).then(() => {
    isOver = true;
    agent.destroy();
  });
  return {
    operations,
    ended,
    async answered(count) {
      while (answered < count && !isOver) await sleep(1);
    },
    async stop() {
      stopped = true;
      await ended;
    },
  };
}

interface Issued {
  plaintext: string;
  token: { id: string };
}

async function attempt(target: Target & { agent: Agent }, ledger: Ledger, operations: Operation[]) {
  const dice = Math.random();
  // Not with the tokens of others: what is on its way is in nobody's hand.
  const taken = dice < 0.5 ? undefined : ledger.take();
  const path = '/api/v1/access-tokens';
  if (taken === undefined) {
    const answer = await send(target, 'create', `POST ${path}`, operations, {
      name: `${ONLY_ONCE}${randomUUID()}`,
    });
    if (answer.operation.status === 201) ledger.created(answer.body as Issued);
    return answer;
  }
  if (dice < 0.75) {
    const answer = await send(target, 'revoke', `DELETE ${path}/${taken.id}`, operations);
    if (answer.operation.status === 204) ledger.ended(taken);
    else if (answer.operation.status !== null) ledger.unchanged(taken);
    return answer;
  }
  const answer = await send(target, 'rotate', `POST ${path}/${taken.id}/rotate`, operations, {});
  if (answer.operation.status === 200) {
    ledger.ended(taken);
    ledger.created(answer.body as Issued);
  } else if (answer.operation.status !== null) ledger.unchanged(taken);
  return answer;
}

/** The body is undefined where the answer is a refusal, or none. */
function send(
  { agent, url, token }: Target & { agent: Agent },
  kind: Kind,
  line: string,
  operations: Operation[],
  json?: object,
): Promise<{ operation: Operation; body: unknown }> {
  const [method, path = ''] = line.split(' ');
  const operation: Operation = {
    kind,
    sentAt: Number.POSITIVE_INFINITY,
    endedAt: Number.POSITIVE_INFINITY,
    status: null,
    headers: {},
  };
  operations.push(operation);
  return new Promise((resolve) => {
    const broken = () => {
      operation.endedAt = Math.min(operation.endedAt, performance.now());
      resolve({ operation, body: undefined });
    };
    const outgoing = request(url + path, {
      agent,
      method,
      headers: { Authorization: `Bearer ${token}`, ...(json && { 'Content-Type': 'application/json' }) },
    });
    outgoing.once('finish', () => (operation.sentAt = performance.now()));
    outgoing.once('error', broken);
    outgoing.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.once('close', broken);
      response.once('end', () => {
        if (!response.complete) return;
        const { statusCode = 0, headers } = response;
        Object.assign(operation, { status: statusCode, headers, endedAt: performance.now() });
        resolve({ operation, body: statusCode >= 300 ? undefined : text === '' ? {} : (JSON.parse(text) as unknown) });
      });
    });
    outgoing.end(json && JSON.stringify(json));
  });
}
