import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createBackground } from '../background.js';
import type { Deps, Webhooks } from '../deps.js';
import { ServiceError } from '../errors.js';
import { performanceNow, sleep } from '../timers.js';
import { createSend, type Send } from './attempt.js';
import { claimWebhook, readWaiting } from './claims.js';
import { fanOut } from './fan-out.js';
import { runLane } from './lane.js';
import { createResolve, type Resolve } from './resolve.js';
import { createTargets, TargetRefused } from './targets.js';

/** Milliseconds from a wake to the work that it asks for. */
const DELAY = 10;
/** How much longer than the deliveries of new events took to make, more events are waited for: many webhooks must not slow the service. */
const PAUSE = 3;
/** Milliseconds after which other processes' webhooks and deliveries are looked for. */
const NET = 5_000;
/** Milliseconds that the look-up of a new URL's name may take. Each attempt to send looks the name up again. */
const SOON = 1_000;
/** Milliseconds without look-ups for new URLs after one that took longer. */
const SLOW = 30_000;
/** Milliseconds without attempts to a webhook after one that nothing could be sent to: names without an address are remembered as long. */
const REST = 5_000;
/** Attempts that a process makes at the same time; more than an organization can have webhooks. */
const MOST_ATTEMPTS = 64;
/** Milliseconds that a stop gives to the attempts under way. What is aborted then is sent again at the next start. */
const PATIENCE = 3_000;

/** What the local server for tests and the tests of this repository replace. */
export interface WebhookOptions {
  resolve?: Resolve | undefined;
  send?: Send | undefined;
  /** The authorities whose certificates are trusted, as PEM. */
  ca?: string | undefined;
  /** Milliseconds instead of `NET`. */
  net?: number | undefined;
  /** Milliseconds instead of `REST`. */
  rest?: number | undefined;
  /** Milliseconds instead of `PATIENCE`. */
  patience?: number | undefined;
  /** Attempts instead of `MOST_ATTEMPTS`. */
  most?: number | undefined;
}

/** Sends events to webhooks as long as the service runs. Without webhooks it asks every 5 seconds whether there are some. */
export function createWebhooks(
  deps: Pick<Deps, 'db' | 'now' | 'keyring' | 'log' | 'config'>,
  {
    resolve,
    ca,
    send = createSend(ca),
    net = NET,
    rest = REST,
    patience = PATIENCE,
    most = MOST_ATTEMPTS,
  }: WebhookOptions = {},
): Webhooks {
  const { db, now, log } = deps;
  const self = randomBytes(16);
  const targetOf = createTargets(deps.config.webhookAllow, resolve ?? createResolve());
  // Look-ups of their own, because those of attempts may be many and slow.
  const newTargetOf = createTargets(deps.config.webhookAllow, resolve ?? createResolve(SOON));
  const ofAddressesOnly = createTargets(deps.config.webhookAllow, () => Promise.resolve([]));
  /** Until when names of new URLs are not looked up, because look-ups take too long. */
  let slowUntil = 0;
  const lanes = new Map<number, Promise<void>>();
  /** Webhooks that nothing could be sent to, and until when they rest. What is due meanwhile is then tried together. */
  const resting = new Map<number, number>();
  const stopping = new AbortController();
  // Each attempt listens. Otherwise Node would warn of more than ten, on the standard error beside the log.
  setMaxListeners(most, stopping.signal);
  let closed = false;
  /** Milliseconds from a new event to the work that it asks for. */
  let pause = DELAY;
  /** Whether there are enabled webhooks, as far as this process knows. */
  let active = false;

  const laneDeps = {
    ...deps,
    targetOf,
    send,
    limited: createLimit(most),
    signal: stopping.signal,
    isClosed: () => closed,
  };

  /** Makes the deliveries of new events, starts to send what is due, and returns the milliseconds until more may be. */
  async function work(): Promise<number> {
    for (const [id, until] of resting) if (until <= performanceNow()) resting.delete(id);
    if (active) {
      const begin = performanceNow();
      await fanOut(db, now, () => closed);
      pause = Math.max(DELAY, PAUSE * (performanceNow() - begin));
    }
    const webhooks = await readWaiting(deps);
    active = webhooks.length > 0;
    const at = now();
    let next = net;
    for (const { id, due_at: dueAt, claimed_until: claimedUntil } of webhooks) {
      if (dueAt === null || lanes.has(id) || closed) continue;
      const restsUntil = resting.get(id);
      if (restsUntil !== undefined) next = Math.min(next, Math.ceil(restsUntil - performanceNow()));
      else if (dueAt > at) next = Math.min(next, dueAt - at);
      else if (claimedUntil > at) next = Math.min(next, claimedUntil - at);
      else begin(id);
    }
    return Math.max(next, DELAY);
  }

  function begin(id: number): void {
    const lane = sendAll(id)
      .catch((error: unknown) => {
        if (!closed) log.warn({ err: error }, 'deliveries to a webhook could not be sent; trying again in 5 seconds');
        // Otherwise each new event would try again at once, and write to the log.
        resting.set(id, performanceNow() + rest);
        return false;
      })
      .then((goesOn) => {
        lanes.delete(id);
        if (goesOn) background.within(DELAY);
      });
    lanes.set(id, lane);
  }

  /** Resolves with false if another process has the webhook. */
  async function sendAll(id: number): Promise<boolean> {
    const claim = await claimWebhook(deps, id, self);
    if (claim === undefined) return false;
    resting.delete(id);
    try {
      if (!(await runLane(laneDeps, id, claim))) resting.set(id, performanceNow() + rest);
    } finally {
      await claim.release();
    }
    return true;
  }

  const background = createBackground(work, {
    every: net,
    log,
    failure: 'deliveries to webhooks could not be made; trying again in 5 seconds',
  });

  background.within(DELAY);
  return {
    async checkUrl(url) {
      const begin = performanceNow();
      try {
        await (begin < slowUntil ? ofAddressesOnly(url) : newTargetOf(url));
      } catch (error) {
        if (!(error instanceof TargetRefused)) throw error;
        // A host that is not known yet may be known when something is sent.
        if (error.code === 'unknown_host') return;
        throw new ServiceError('url_not_allowed', {
          detail: `The service must not send to this URL: ${error.message}.`,
        });
      } finally {
        const end = performanceNow();
        if (end - begin >= SOON) slowUntil = end + SLOW;
      }
    },
    wake() {
      if (active) background.within(pause);
    },
    added(edited) {
      if (edited !== undefined) resting.delete(edited);
      active = true;
      background.within(DELAY);
    },
    async settle() {
      active = true;
      let waits: readonly { id: number; due_at: number | null }[] = [];
      do {
        resting.clear();
        await background.run();
        await Promise.all(lanes.values());
        waits = (await readWaiting(deps)).filter(({ due_at: dueAt }) => dueAt !== null && dueAt <= now());
      } while (waits.length > 0 && !closed);
    },
    async close() {
      closed = true;
      await background.close();
      await Promise.race([Promise.all(lanes.values()), sleep(patience, undefined, { ref: false })]);
      stopping.abort();
      await Promise.all(lanes.values());
    },
  };
}

/** Lets at most `most` pieces of work run at the same time. */
function createLimit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
