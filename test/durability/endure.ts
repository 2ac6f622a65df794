import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { send } from '../support/http.js';
import type { Serving } from '../support/process.js';
import { FULL, milliseconds, publish } from './figures.js';
import { broken, createLedger, promisesOf } from './ledger.js';
import { startLoad } from './load.js';
import { addUser, ask, atOnce, issue, logInAt, type Nodes, type Person, TOKENS } from './nodes.js';
import { startPatientClients, wrongIn } from './once.js';

/** Connections at each node that create, revoke and rotate. */
const CONNECTIONS = 8;
const PATIENT_CLIENTS = 4;
/** Milliseconds. A run beside all other tests says nothing about how long it takes to serve again. */
const SERVES_AFTER = FULL ? 2_000 : 10_000;
/** What the clients of one node saw during an outage. */
export interface Seen {
  /** Statuses of creates, revokes and rotations; 0 for a broken connection. */
  changes: Set<number>;
  /** Of the uses of a valid token and of a revoked one, again and again. */
  valid: Set<number>;
  revoked: Set<number>;
  /** Milliseconds of the slowest request. */
  slowest: number;
}

/** What an outage did, to be added up over several. */
interface Figures {
  /** Changes that were answered. */
  answered: number;
  /** Creates with an `Idempotency-Key` that were sent until they succeeded, and the requests that they took. */
  created: number;
  requests: number;
  lost: number;
  revived: number;
  double: number;
  /** Milliseconds until all nodes served again. */
  recovery: number;
}

/** Users with a session. */
interface People {
  /** Owners of the tokens that the load changes, one for each node. */
  owners: Person[];
  /** Owner of no other tokens, so that creating one waits for no other change. */
  prober: Person;
}

const peopleOf = new WeakMap<readonly Serving[], Promise<People>>();

/**
 * Lets `fault` happen so many times to nodes under load. Checks that no answered change is lost, that no create is lost or
 * doubled if its client repeats it with an `Idempotency-Key`, and that none is done twice without one. `fault` resolves with
 * the instant, in milliseconds of the monotonic clock, from which the nodes must serve again.
 */
export async function endure(
  program: string,
  name: string,
  nodes: Nodes,
  fault: () => Promise<number>,
  rounds = 1,
): Promise<Seen[]> {
  const all = nodes.all.map((): Seen => ({ changes: new Set(), valid: new Set(), revoked: new Set(), slowest: 0 }));
  const sum: Figures = { answered: 0, created: 0, requests: 0, lost: 0, revived: 0, double: 0, recovery: 0 };
  for (let round = 0; round < rounds; round++) await endureOnce(nodes, fault, all, sum);
  const { answered, created, requests, lost, revived, double, recovery } = sum;
  const statuses = (kind: 'changes' | 'valid' | 'revoked') =>
    [...new Set(all.flatMap((seen) => [...seen[kind]]))].sort().join(' ');
  publish(
    program,
    `${name}, ${String(rounds)} times: answered changes, creates with a key by requests`,
    `${String(answered)}, ${String(created)} by ${String(requests)}`,
  );
  publish(program, `${name}: lost, revived, double`, [lost, revived, double].join(', '), '0, 0, 0');
  publish(
    program,
    `${name}: answers to changes; for a valid token; for a revoked one`,
    `${statuses('changes')}; ${statuses('valid')}; ${statuses('revoked')}`,
  );
  publish(program, `${name}: serves again after`, milliseconds(recovery), `≤ ${milliseconds(SERVES_AFTER)}`);
  expect({ lost, revived, double }).toEqual({ lost: 0, revived: 0, double: 0 });
  expect(recovery).toBeLessThanOrEqual(SERVES_AFTER);
  return all;
}

/** Checks that every answer was the truth or 503, and that no connection broke. */
export function expectTruth({ changes, valid, revoked }: Seen): void {
  expect([...changes].filter((status) => ![200, 201, 204, 503].includes(status))).toEqual([]);
  expect([...valid].filter((status) => ![200, 503].includes(status))).toEqual([]);
  expect([...revoked].filter((status) => ![401, 503].includes(status))).toEqual([]);
}

async function endureOnce(nodes: Nodes, fault: () => Promise<number>, all: Seen[], sum: Figures): Promise<void> {
  const { owners, prober } = await peopleFor(nodes);
  const [{ token } = { token: '' }] = owners;
  const [valid, revoked] = await atOnce(2, () => issue(nodes.at(0), token, { name: 'used' }));
  if (valid === undefined || revoked === undefined) throw new TypeError('there are two');
  await ask(nodes.at(0), `DELETE ${TOKENS}/${revoked.token.id}`, { token });
  const ledgers = owners.map(() => createLedger({ isDoubtful: true }));
  const loads = ledgers.map((ledger, index) =>
    startLoad({ url: nodes.at(index).url, token: owners[index]?.token ?? '' }, ledger, CONNECTIONS),
  );
  const patient = startPatientClients(nodes, token, PATIENT_CLIENTS);
  await sleep(300);

  const since = performance.now();
  const begun = patient.created;
  let isOver = false;
  const uses = all.map((seen, index) =>
    useUntil(seen, nodes.at(index), { valid: valid.plaintext, revoked: revoked.plaintext }, () => isOver),
  );
  const from = await fault();
  const serves = await atOnce(nodes.all.length, (index) => untilServing(nodes.at(index), prober.token));
  await sleep(200);
  isOver = true;
  await Promise.all([...uses, ...loads.map((load) => load.stop())]);
  const issued = await patient.stop();
  expect(issued.length).toBeGreaterThan(begun);

  for (const [index, seen] of all.entries()) {
    for (const { sentAt, endedAt, status, headers } of loads[index]?.operations ?? []) {
      if (endedAt < since) continue;
      seen.changes.add(status ?? 0);
      if (Number.isFinite(sentAt)) seen.slowest = Math.max(seen.slowest, endedAt - sentAt);
      if (status === 503) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
  }
  // These clients ask all nodes.
  for (const status of patient.statuses) all[0]?.changes.add(status);
  for (const made of issued) ledgers[0]?.created(made);
  const { lost, revived } = await broken({ url: nodes.at(1).url, token }, promisesOf(...ledgers));
  for (const [index, owner] of owners.entries()) {
    const { missing, double } = await wrongIn(nodes, owner.token, index === 0 ? issued : []);
    sum.lost += missing;
    sum.double += double;
  }
  const operations = loads.flatMap((load) => load.operations);
  sum.answered += operations.filter(({ status }) => status !== null && status < 300).length;
  sum.created += issued.length;
  sum.requests += patient.sent;
  sum.lost += lost;
  sum.revived += revived;
  sum.recovery = Math.max(sum.recovery, ...serves.map((at) => at - from));
}

function peopleFor(nodes: Nodes): Promise<People> {
  let people = peopleOf.get(nodes.all);
  if (people === undefined) {
    people = addPeople(nodes);
    peopleOf.set(nodes.all, people);
  }
  return people;
}

async function addPeople(nodes: Nodes): Promise<People> {
  const admin = await logInAt(nodes.at(0));
  const add = (node: Serving) => addUser(node, admin, `${randomUUID()}@example.org`);
  return { owners: [admin, ...(await Promise.all(nodes.all.slice(1).map(add)))], prober: await add(nodes.at(0)) };
}

async function useUntil(
  seen: Seen,
  node: Serving,
  tokens: { valid: string; revoked: string },
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    for (const kind of ['valid', 'revoked'] as const) {
      const start = performance.now();
      const answer = await send(node, `GET ${TOKENS}/current`, { token: tokens[kind] }).catch(() => undefined);
      seen[kind].add(answer?.status ?? 0);
      seen.slowest = Math.max(seen.slowest, performance.now() - start);
    }
    await sleep(5);
  }
}

/** Resolves when the node both reads and writes, with the time in milliseconds of the monotonic clock. */
async function untilServing(node: Serving, token: string): Promise<number> {
  for (;;) {
    const { status } = await send(node, `POST ${TOKENS}`, { token, json: { name: 'afterwards' } });
    if (status === 201) return performance.now();
    await sleep(10);
  }
}
