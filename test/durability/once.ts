import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from '../support/http.js';
import { ask, type Issued, type Nodes, TOKENS } from './nodes.js';

/** Clients that repeat a create with its `Idempotency-Key` at any node until it succeeds. */
export interface PatientClients {
  /** How many creates succeeded, and how many requests that took. */
  readonly created: number;
  readonly sent: number;
  /** Every status, 0 for a connection that broke. */
  readonly statuses: ReadonlySet<number>;
  /** Lets each create that has begun succeed, and ends. Resolves with the tokens. */
  stop(): Promise<Issued[]>;
}

/** A part of every name that no two tokens may have. */
export const ONLY_ONCE = 'only-once-';

export function startPatientClients(nodes: Nodes, token: string, clients: number): PatientClients {
  const issued: Issued[] = [];
  const statuses = new Set<number>();
  const series = randomUUID();
  let next = 0;
  let sent = 0;
  let isStopped = false;

  async function createOnce(index: number): Promise<void> {
    const json = { name: `patient-${ONLY_ONCE}${series}-${String(index)}` };
    const headers = { 'Idempotency-Key': `key-${series}-${String(index)}` };
    for (let node = index; ; node++) {
      sent++;
      const answer = await send(nodes.at(node), `POST ${TOKENS}`, { token, json, headers }).catch(() => undefined);
      statuses.add(answer?.status ?? 0);
      if (answer?.status === 201) {
        issued.push(answer.body as Issued);
        return;
      }
      await sleep(20);
    }
  }

  const running = Promise.all(
    Array.from({ length: clients }, async () => {
      while (!isStopped) await createOnce(next++);
    }),
  );
  return {
    get created() {
      return issued.length;
    },
    get sent() {
      return sent;
    },
    statuses,
    async stop() {
      isStopped = true;
      await running;
      return issued;
    },
  };
}

/** How many of the tokens are not in the owner's list, and how many names more than one token has, valid or not. */
export async function wrongIn(nodes: Nodes, token: string, issued: readonly Issued[]) {
  const idsByName = new Map<string, Set<string>>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const rest: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const query = `limit=200&includeRevoked=true&tokenType=pat&q=${ONLY_ONCE}${rest}`;
    const { body } = await ask(nodes.at(0), `GET ${TOKENS}?${query}`, { token });
    const page = body as { items: { id: string; name: string }[]; nextCursor: string | null };
    for (const { id, name } of page.items) idsByName.set(name, (idsByName.get(name) ?? new Set()).add(id));
    cursor = page.nextCursor;
  }
  return {
    missing: issued.filter(({ token: { id, name } }) => idsByName.get(name)?.has(id) !== true).length,
    double: [...idsByName.values()].filter(({ size }) => size > 1).length,
  };
}
