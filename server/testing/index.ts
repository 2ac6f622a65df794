import { completeConfig } from '../config/config.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import { readOperations } from '../contract/operations.js';
import { createLog } from '../log/log.js';
import { createKeyring } from '../sealing/keyring.js';
import { start } from '../start.js';
import { dateNow } from '../timers.js';
import { createLastUsed } from '../tokens/last-used.js';
import { createPasswords, QUICK_HASH } from '../users/passwords.js';
import { type Connection, createTestClient } from './client.js';
import { createClock } from './clock.js';
import { createControl, isControl } from './control.js';
import { createRecordedDeliveries, type RecordedDeliveries } from './deliveries.js';
import { createFaults } from './faults.js';
import { createRecordedMails, type RecordedMails } from './mails.js';
import type { As, TestingOptions, TestingServer, TestingServerOptions } from './options.js';
import { createRequests } from './requests.js';
import { createScene } from './scene.js';

/** Writes `lastUsedAt` without the usual delay (milliseconds), so that a test can read it at once. */
const AT_ONCE = { lag: 0, delay: 0 };

/** Webhooks may be on this machine. */
const HERE = ['localhost', '127.0.0.0/8', '::1'];

const SECOND = 1_000;

/** Implements `startServer` for the option `testing`. */
export async function startTesting({ testing, ...given }: TestingServerOptions): Promise<TestingServer> {
  assertTestingOptions(testing);
  const options = { port: 0, logLevel: 'silent' as const, database: ':memory:', webhookAllow: HERE, ...given };
  const { now = dateNow, log: givenLog, ...config } = options;
  const { brand, logLevel, adminEmail, adminPassword, ...where } = completeConfig(config);
  assertHarmless(where);
  const { seed = {}, frozenAt, randomSeed = 1 } = testing;
  if (!Number.isSafeInteger(randomSeed)) throw new InvalidArgument('option testing.randomSeed must be an integer');

  const clock = createClock(now, frozenAt);
  const log = givenLog ?? createLog(logLevel, logLevel === 'silent' ? { write: () => undefined } : undefined);
  const passwords = createPasswords(QUICK_HASH);
  const operationIds = (await readOperations()).map(({ id }) => id);
  const faults = createFaults(randomSeed, operationIds);
  const requests = createRequests(clock.now);
  const recorded = createRecordedMails();
  const sent = createRecordedDeliveries(clock.now, faults.beforeDelivery);
  let sendAll = () => Promise.resolve();
  const webhooks: RecordedDeliveries = {
    async all() {
      await sendAll();
      return sent.all();
    },
    clear: sent.clear,
  };
  /** Does what the requests so far, and the clock, have set off. */
  let settle = () => Promise.resolve();
  /** Does the same before a request, but looks for what the clock has set off once a second, because that takes a transaction. */
  let catchUp = () => Promise.resolve();
  const mails: RecordedMails = {
    async all() {
      await settle();
      return recorded.all();
    },
    clear: recorded.clear,
  };
  // If the seed has no users, it gets the first user that every service starts with.
  const admin = { email: adminEmail, isAdmin: true, ...(adminPassword !== null && { password: adminPassword }) };
  const scene = await createScene({
    seed,
    brand,
    admin,
    passwords,
    clock,
    faults,
    requests,
    mails: recorded,
    webhooks: sent,
    keyringOf: (database) => createKeyring(database, where, clock.now),
  });

  const happen = faults.before(requests);
  const control = createControl(
    {
      clock,
      faults,
      requests,
      mails,
      webhooks,
      get users() {
        return scene.users();
      },
      get owners() {
        return scene.owners();
      },
      reset: () => scene.reset(),
      seed: (next) => scene.seed(next),
      snapshot: () => scene.snapshot(),
      restore: (snapshot) => scene.restore(snapshot),
      openSession: (email) => scene.callers().openSession(email),
    },
    log,
  );
  const lastUsed = createLastUsed(scene.database, log, AT_ONCE);
  const server = await start(
    // A test knows which requests it has sent, so that a stop need not wait for further ones.
    {
      ...options,
      now: clock.now,
      log,
      openDatabase: () => Promise.resolve(scene.database),
      passwords,
      lastCall: 0,
      webhooks: sent.options,
    },
    {
      adapt(deps) {
        deps.lastUsed = lastUsed;
        scene.attach(deps);
        sendAll = async () => {
          await settle();
          await deps.webhooks.settle();
        };
        let settledAt = Number.NEGATIVE_INFINITY;
        catchUp = async () => {
          if (Math.abs(clock.now() - settledAt) >= SECOND) await settle();
          else await deps.leaks.settle();
        };
        settle = async () => {
          settledAt = clock.now();
          await deps.leaks.settle();
          await deps.notices.settle();
          await deps.mails.settle();
        };
      },
      mails: recorded.recording,
      async before(operation, request, response) {
        requests.nameOperation(request, operation.id);
        // Each request must see the `lastUsedAt` of the requests before it, and what leaks and the clock have set off.
        await lastUsed.flush();
        await catchUp();
        return await happen(operation, request, response);
      },
      around(accept) {
        const recording = requests.recording(accept);
        return (request, response) => {
          // Clients compare instants in an answer with its `Date`, so that must be the testing clock's.
          response.setHeader('Date', new Date(clock.now()).toUTCString());
          if (isControl(request)) void control(request, response);
          else recording(request, response);
        };
      },
      release() {
        faults.clear();
        requests.end();
      },
    },
  );

  const connection = (as?: As): Connection => ({ baseUrl: server.url, token: scene.callers().tokenOf(as) });
  return {
    ...server,
    // The seed created the first user, so `start` did not report one.
    firstUser: scene.firstUser(),
    get users() {
      return scene.users();
    },
    get owners() {
      return scene.owners();
    },
    clock,
    faults,
    requests,
    mails,
    webhooks,
    connection,
    client: (as) => createTestClient(connection(as)),
    reset: () => scene.reset(),
    seed: (next) => scene.seed(next),
    snapshot: () => scene.snapshot(),
    restore: (snapshot) => scene.restore(snapshot),
  };
}

const KNOWN = ['seed', 'frozenAt', 'randomSeed'] satisfies (keyof TestingOptions)[];

/** Types do not check JavaScript: `false` must not start a local server, and a misspelt `seed` not an empty one. */
function assertTestingOptions(testing: unknown): void {
  if (typeof testing !== 'object' || testing === null) {
    throw new InvalidArgument('option testing must be an object, such as {}, or undefined');
  }
  const unknown = Object.keys(testing).find((name) => !(KNOWN as string[]).includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgument(`option testing.${unknown} is not known; known are ${KNOWN.join(', ')}`);
  }
}

function assertHarmless({ host, database }: { host: string; database: string }): void {
  if (!/^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host)) {
    throw new InvalidArgument(
      'option host must be a loopback address with testing, since everybody who can reach the server controls it',
    );
  }
  if (database !== ':memory:') {
    throw new InvalidArgument('option database must be :memory: with testing, since a reset replaces all data');
  }
}
