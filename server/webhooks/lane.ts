import { type Queries, runPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';
import { performanceNow } from '../timers.js';
import { toUuid } from '../uuid.js';
import type { Outcome, Send } from './attempt.js';
import type { Claim } from './claims.js';
import { type DueDelivery, recordOutcome } from './outcome.js';
import { signedHeaders } from './secret.js';
import { type Target, TargetRefused } from './targets.js';

// A webhook gets its deliveries one after the other, in the order in which they are due: first attempts are in the order of the
// chain of events, and none waits for one that failed. If many wait, several are sent at the same time.

/** Deliveries that are read together. If there are so many, `WIDTH` are sent at a time. */
const BATCH = 100;
const WIDTH = 8;
/** Milliseconds. An attempt that took longer, or failed, is followed by single ones. */
const QUICK = 1_000;
/** Milliseconds after which a webhook makes room for others. */
const TURN = 30_000;

export interface LaneDeps extends Pick<Deps, 'db' | 'now' | 'keyring'> {
  targetOf(url: string): Promise<Target>;
  send: Send;
  /** Runs `work` when few enough attempts of this process are under way. */
  limited<T>(work: () => Promise<T>): Promise<T>;
  /** Aborts when the service stops and does not wait any longer. */
  signal: AbortSignal;
  isClosed(): boolean;
}

/**
 * Sends what is due for a webhook, until nothing is, its turn is over, the claim is lost, or the service stops. Resolves with false
 * if nothing can be sent to its URL for now.
 */
export async function runLane(deps: LaneDeps, webhookId: number, claim: Claim): Promise<boolean> {
  const end = performanceNow() + TURN;
  const state = { isQuick: true, isOver: false, hasTarget: true };

  async function next(queue: DueDelivery[]): Promise<void> {
    for (let delivery = queue.shift(); delivery !== undefined; delivery = queue.shift()) {
      if (deps.isClosed() || performanceNow() > end) state.isOver = true;
      if (state.isOver) return;
      const start = performanceNow();
      // What is read before must not be old when it is sent: the claim, the URL and the secrets.
      const outcome = await deps.limited(() => attempt(deps, claim, delivery));
      if (outcome === undefined) {
        state.isOver = true;
        return;
      }
      state.isQuick = outcome.error === null && performanceNow() - start <= QUICK;
      // Nothing was sent: what waits behind would fail in the same way.
      const alike = isOfTarget(outcome) ? queue.splice(0) : [];
      await recordOutcome(deps.db, [delivery, ...alike], outcome, deps.now());
      if (isOfTarget(outcome)) {
        state.isOver = true;
        state.hasTarget = false;
      }
    }
  }

  while (!state.isOver) {
    const queue = await runPrepared(deps.db.read, dueDeliveries, { webhookId, at: deps.now(), limit: BATCH });
    if (queue.length === 0) break;
    const width = queue.length === BATCH && state.isQuick ? WIDTH : 1;
    await Promise.all(Array.from({ length: width }, () => next(queue)));
  }
  return state.hasTarget;
}

/** Whether the attempt failed before anything was sent, because of the webhook's URL. */
function isOfTarget({ error }: Outcome): boolean {
  return error === 'unknown_host' || error === 'forbidden_target';
}

/**
 * Sends a delivery once; undefined if its webhook was disabled or deleted meanwhile, another process has the webhook, or the
 * service stops.
 */
async function attempt(deps: LaneDeps, claim: Claim, delivery: DueDelivery): Promise<Outcome | undefined> {
  if (deps.isClosed() || !(await claim.renew())) return undefined;
  const [webhook] = await runPrepared(deps.db.read, enabledWebhook, { id: delivery.webhook_id });
  if (webhook === undefined) return undefined;
  const at = deps.now();
  const secrets = [webhook.secret];
  const { previous_secret: previous, previous_valid_until: until } = webhook;
  if (previous !== null && until !== null && until > at) secrets.push(previous);
  const opened = secrets.map((sealed) => {
    const secret = deps.keyring.unseal(sealed, webhook.uuid);
    if (secret === undefined)
      throw new Error('the secret of a webhook cannot be decrypted with the key of this service');
    return secret;
  });
  const id = toUuid(Buffer.from(delivery.event_uuid ?? delivery.uuid).toString('hex'));
  const message = { body: delivery.payload, headers: signedHeaders(id, at, delivery.payload, opened) };
  try {
    const target = await deps.targetOf(webhook.url);
    // Each retry takes another address of the host.
    const address = target.addresses[delivery.retries % target.addresses.length] ?? '';
    return await deps.send(target, address, message, deps.signal);
  } catch (error) {
    if (error instanceof TargetRefused) return { error: error.code, status: null, retryAfter: null };
    if (deps.signal.aborted) return undefined;
    throw error;
  }
}

const dueDeliveries = (read: Queries, { webhookId, at, limit }: { webhookId: number; at: number; limit: number }) =>
  read
    .selectFrom('webhook_deliveries')
    .select(['id', 'webhook_id', 'event_uuid', 'uuid', 'payload', 'retries', 'begun_at'])
    .where('webhook_id', '=', webhookId)
    .where('due_at', '<=', at)
    .orderBy('due_at')
    .orderBy('id')
    .limit(limit);

const enabledWebhook = (read: Queries, { id }: { id: number }) =>
  read
    .selectFrom('webhooks')
    .select(['uuid', 'url', 'secret', 'previous_secret', 'previous_valid_until'])
    .where('id', '=', id)
    .where('disabled_at', 'is', null);
