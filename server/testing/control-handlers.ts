import { InvalidArgument } from '../config/invalid-argument.js';
import type { ClockState } from './clock.js';
import { controlSpec } from './control-spec.js';
import type { RecordedDelivery } from './deliveries.js';
import type { RecordedMail } from './mails.js';
import type { Fault, Snapshot, TestingServer } from './options.js';
import type { RecordedRequest, RequestsOfServer } from './requests.js';
import type { Seed, SeededOwner, SeededUser } from './seed.js';

const MOST_SNAPSHOTS = 100;

/** Thrown for an unknown id or e-mail; answered with 404. */
export class NoSuch extends Error {
  override name = 'NoSuch';
}

interface Filter {
  operationId?: string;
  method?: string;
  path?: string;
  status?: number;
  least?: number;
  waitMs?: number;
}

interface ClockChange {
  now?: string;
  advanceMs?: number;
  frozen?: boolean;
}

/** Everybody of the seed who owns tokens. */
interface SeededOwners {
  users: readonly SeededUser[];
  owners: readonly SeededOwner[];
}

interface ById {
  id: string;
}

/** One handler for each operation of `testing/openapi.yaml`. Body and query are already validated. */
export interface ControlHandlers {
  reset(): Promise<void>;
  putSeed(parts: { body: Seed }): Promise<SeededOwners>;
  getUsers(): SeededOwners;
  openSession(parts: { body: { email: string } }): Promise<{ token: string }>;
  takeSnapshot(): Promise<ById>;
  deleteSnapshot(parts: ById): void;
  restoreSnapshot(parts: ById): Promise<void>;
  getClock(): ClockState;
  putClock(parts: { body: ClockChange }): ClockState;
  getFaults(): object;
  addFault(parts: { body: Fault }): ById;
  clearFaults(): void;
  removeFault(parts: ById): void;
  getRequests(parts: { query: Filter }): Promise<{ requests: RecordedRequest[] }>;
  clearRequests(): void;
  getMails(): Promise<{ mails: RecordedMail[] }>;
  clearMails(): void;
  getWebhookDeliveries(): Promise<{ deliveries: RecordedDelivery[] }>;
  clearWebhookDeliveries(): void;
  getControlOpenApi(): Promise<string>;
}

/** The parts of a local server that can be controlled over HTTP. */
export interface Controlled
  extends Pick<
    TestingServer,
    'users' | 'owners' | 'clock' | 'faults' | 'mails' | 'webhooks' | 'reset' | 'seed' | 'snapshot' | 'restore'
  > {
  requests: Pick<RequestsOfServer, 'all' | 'clear' | 'until'>;
  openSession(email: string): Promise<string | undefined>;
}

export function createControlHandlers(server: Controlled): ControlHandlers {
  const snapshots = new Map<string, Snapshot>();
  let lastSnapshot = 0;

  return {
    reset: () => server.reset(),
    async putSeed({ body }) {
      const users = await server.seed(body);
      return { users, owners: server.owners };
    },
    getUsers: () => ({ users: server.users, owners: server.owners }),
    async openSession({ body }) {
      const token = await server.openSession(body.email);
      if (token === undefined) throw new NoSuch('There is no user with this e-mail.');
      return { token };
    },

    async takeSnapshot() {
      if (snapshots.size >= MOST_SNAPSHOTS) {
        throw new InvalidArgument(`at most ${String(MOST_SNAPSHOTS)} snapshots are kept; delete one first`);
      }
      const id = String(++lastSnapshot);
      snapshots.set(id, await server.snapshot());
      return { id };
    },
    deleteSnapshot({ id }) {
      if (!snapshots.delete(id)) throw new NoSuch('There is no snapshot with this id.');
    },
    async restoreSnapshot({ id }) {
      const snapshot = snapshots.get(id);
      if (snapshot === undefined) throw new NoSuch('There is no snapshot with this id.');
      await server.restore(snapshot);
    },

    getClock: () => server.clock.state(),
    putClock({ body }) {
      change(server, body);
      return server.clock.state();
    },

    getFaults: () => ({ faults: server.faults.all() }),
    addFault: ({ body }) => ({ id: server.faults.add(body) }),
    clearFaults: () => {
      server.faults.clear();
    },
    removeFault({ id }) {
      if (!server.faults.remove(id)) throw new NoSuch('There is no fault with this id.');
    },

    getRequests: async ({ query }) => ({ requests: await findRequests(server, query) }),
    clearRequests: () => {
      server.requests.clear();
    },

    getMails: async () => ({ mails: await server.mails.all() }),
    clearMails: () => {
      server.mails.clear();
    },
    getWebhookDeliveries: async () => ({ deliveries: await server.webhooks.all() }),
    clearWebhookDeliveries: () => {
      server.webhooks.clear();
    },

    getControlOpenApi: async () => (await controlSpec()).yaml,
  };
}

function change({ clock }: Controlled, { now, advanceMs, frozen }: ClockChange): void {
  if (now !== undefined && advanceMs !== undefined) {
    throw new InvalidArgument('the body must have now or advanceMs, not both');
  }
  // Set the time first: if that is rejected, nothing has changed.
  if (now !== undefined) clock.set(now);
  if (advanceMs !== undefined) clock.advance(advanceMs);
  if (frozen === true) clock.freeze();
  if (frozen === false) clock.unfreeze();
}

async function findRequests({ requests }: Controlled, filter: Filter): Promise<RecordedRequest[]> {
  const { operationId, method, path, status, least = 1, waitMs } = filter;
  const fits = (request: RecordedRequest) =>
    (operationId === undefined || request.operationId === operationId) &&
    (method === undefined || request.method === method) &&
    (path === undefined || request.path === path) &&
    (status === undefined || request.status === status);
  // A time-out is no error: the answer then lists the requests received so far.
  if (waitMs !== undefined) await requests.until((settled) => settled.filter(fits).length >= least, waitMs);
  return requests.all().filter(fits);
}
