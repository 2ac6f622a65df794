import type { Database } from '../database/index.js';
import type { Deps, Keyring, Passwords } from '../deps.js';
import type { RunningServer } from '../options.js';
import { clearTimeout, setTimeout } from '../timers.js';
import { createLoginThrottle } from '../users/login-throttle.js';
import { type Callers, createCallers } from './callers.js';
import type { SettableClock } from './clock.js';
import type { FaultsOfServer } from './faults.js';
import type { Snapshot } from './options.js';
import { plant } from './plant.js';
import { isRelative, type ReadySeed, readSeed, toSeededOwner, toSeededUser } from './ready-seed.js';
import type { RequestsOfServer } from './requests.js';
import type { Seed, SeededOwner, SeededUser, SeedUser } from './seed.js';
import { createStore, imageOf } from './store.js';

/** Milliseconds that a change of the data waits for requests in flight at most. */
const PATIENCE = 1_000;

/** The data of a local server, with the operations that replace them. */
export interface Scene {
  database: Database;
  users(): readonly SeededUser[];
  /** Services and external owners. */
  owners(): readonly SeededOwner[];
  /** The only user, if the seed has no users; null otherwise. */
  firstUser(): RunningServer['firstUser'];
  /** Connects the scene with the started service. */
  attach(deps: Deps): void;
  /** The credentials of callers. Throws before `attach`. */
  callers(): Callers;
  reset(): Promise<void>;
  seed(seed: Seed | string): Promise<readonly SeededUser[]>;
  snapshot(): Promise<Snapshot>;
  restore(snapshot: Snapshot): Promise<void>;
}

interface SceneParts {
  seed: Seed | string;
  brand: string;
  /** The only user, if the seed has no users. */
  admin: SeedUser;
  passwords: Passwords;
  clock: SettableClock;
  faults: FaultsOfServer;
  requests: RequestsOfServer;
  mails: { reset(): void };
  webhooks: { reset(): void };
  keyringOf(database: Database): Keyring;
}

export async function createScene(parts: SceneParts): Promise<Scene> {
  const { brand, admin, passwords, clock, faults, requests, mails, webhooks, keyringOf } = parts;
  let ready = await makeReady(parts.seed);
  let image = await imageOfSeed(ready.seed);
  const store = await createStore(image);
  let running: { deps: Deps; callers: Callers } | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function makeReady(source: Seed | string) {
    const seed = await readSeed(source, brand, admin);
    return { seed, users: seed.users.map(toSeededUser), owners: seed.owners.map(toSeededOwner) };
  }

  function imageOfSeed(seed: ReadySeed): Promise<Buffer> {
    return imageOf((database) => plant(database, { passwords, keyring: keyringOf(database) }, seed, clock.start()));
  }

  /** Runs one change after the other. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = turn.then(change);
    turn = result.catch(() => undefined);
    return result;
  }

  async function show(next: Buffer): Promise<void> {
    await within(PATIENCE, requests.settled());
    // Uses not written yet belong to the tokens of the old data.
    await running?.deps.lastUsed.flush();
    await store.load(next);
    if (running === undefined) return;
    running.deps.loginThrottle = createLoginThrottle(store.database, clock.now);
    running.callers.forget();
    if (ready.seed.webhooks.length > 0) running.deps.webhooks.added();
  }

  async function backToStart(): Promise<void> {
    faults.reset();
    clock.reset();
    if (isRelative(ready.seed)) image = await imageOfSeed(ready.seed);
    await show(image);
    requests.clear();
    mails.reset();
    webhooks.reset();
  }

  return {
    database: store.database,
    users: () => ready.users,
    owners: () => ready.owners,
    firstUser() {
      const [user] = ready.users;
      if (user === undefined || ready.seed.hasUsers) return null;
      return { email: user.email, password: user.password, generated: admin.password === undefined };
    },
    attach(deps) {
      running = {
        deps,
        callers: createCallers(
          deps,
          () => ready.users,
          () => ready.owners,
        ),
      };
    },
    callers() {
      if (running === undefined) throw new TypeError('the service has not started yet');
      return running.callers;
    },

    reset: () => inTurn(backToStart),
    seed: (source) =>
      inTurn(async () => {
        const next = await makeReady(source);
        image = await imageOfSeed(next.seed);
        ready = next;
        await backToStart();
        return ready.users;
      }),
    snapshot: () =>
      inTurn(async () => {
        await running?.deps.lastUsed.flush();
        const { now, frozen } = clock.state();
        return { database: await store.image(), clock: { now: Date.parse(now), frozen } };
      }),
    restore: (snapshot) =>
      inTurn(async () => {
        // `freeze(at)` keeps the exact instant; `set` followed by `freeze` would let the clock run in between.
        clock.freeze(snapshot.clock.now);
        if (!snapshot.clock.frozen) clock.unfreeze();
        await show(snapshot.database);
      }),
  };
}

/** Waits for `work`, but not longer than `milliseconds`. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
