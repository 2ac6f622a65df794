import { type Queries, runPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';

// One process at a time sends the deliveries of a webhook. Its claim ends by itself, so that another one goes on if it was killed.

/** Milliseconds; more than one attempt takes. */
const LEASE = 30_000;
/** Milliseconds that must be left of a claim before an attempt begins. */
const NEEDED = 25_000;

/** A webhook that has deliveries. */
export interface Waiting {
  id: number;
  claimed_until: number;
  /** When its next delivery is due; null if none is pending. */
  due_at: number | null;
}

/** Returns all enabled webhooks, and when each has something to send. */
export function readWaiting({ db }: Pick<Deps, 'db'>): Promise<Waiting[]> {
  return runPrepared(db.read, waiting, {});
}

const waiting = (read: Queries) =>
  read
    .selectFrom('webhooks')
    .select(['webhooks.id', 'webhooks.claimed_until'])
    .select(({ selectFrom }) =>
      selectFrom('webhook_deliveries as delivery')
        .select('delivery.due_at')
        .whereRef('delivery.webhook_id', '=', 'webhooks.id')
        .where('delivery.due_at', 'is not', null)
        .orderBy('delivery.due_at')
        .limit(1)
        .as('due_at'),
    )
    .where('webhooks.disabled_at', 'is', null);

export interface Claim {
  /** Prolongs the claim if it ends soon; resolves with false if another process has it. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/** Claims a webhook for this process, which has the id `self`; undefined if another process has it. */
export async function claimWebhook(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  id: number,
  self: Uint8Array,
): Promise<Claim | undefined> {
  let until = 0;
  async function prolong(): Promise<boolean> {
    const at = now();
    const claimed = await db.write((trx) => runPrepared(trx, claim, { id, self, at, until: at + LEASE }));
    until = at + LEASE;
    return claimed.length > 0;
  }
  if (!(await prolong())) return undefined;
  return {
    renew: async () => until - now() > NEEDED || (await prolong()),
    async release() {
      await db.write((trx) => runPrepared(trx, release, { id, self }));
    },
  };
}

const claim = (trx: Queries, { id, self, at, until }: { id: number; self: Uint8Array; at: number; until: number }) =>
  trx
    .updateTable('webhooks')
    .set({ claimed_until: until, claimed_by: self })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .where(({ eb, or }) => or([eb('claimed_until', '<=', at), eb('claimed_by', '=', self)]))
    .returning('id');

const release = (trx: Queries, { id, self }: { id: number; self: Uint8Array }) =>
  trx
    .updateTable('webhooks')
    .set({ claimed_until: 0, claimed_by: null })
    .where('id', '=', id)
    .where('claimed_by', '=', self)
    .returning('id');
