import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { lockOwners, type Queries, sendPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';
import { recordEvent } from '../events/record.js';
import { recordRevocations } from '../events/revocations.js';
import { toInstant, toInstantOrNull } from '../instants.js';
import type { AuthenticatedActor } from './actor.js';
import { requireAdministrator } from './administrators.js';
import { requireValidCaller } from './caller-state.js';
import { type BreakingToken, breakingTokens, type Rules, stillBreaking } from './policy-breaches.js';
import { revoked } from './revocation.js';
import { POLICY } from './scopes.js';
import { withRevocationAt } from './token-settings.js';

const DAY = 86_400_000;
/** Tokens that one transaction changes; few, so that no request waits long for it. */
const BATCH = 200;
/** Tokens that one request changes, so that it ends in seconds. */
const MOST_CHANGED = 10_000;
const MOST_SAMPLES = 20;

/** How the policy reaches old tokens. */
export interface Application {
  /** What happens with a token at its end. */
  action: 'expire' | 'revoke';
  /** Days from now until the first tokens end, 0 to 365. */
  inDays: number;
  /** Days over which the ends are spread, 0 to 365. */
  spreadDays: number;
  dryRun: boolean;
}

/** What was changed, or in a dry run would be. */
export interface Applied {
  changed: number;
  /** Tokens that break the policy and end sooner anyway. */
  unchanged: number;
  /** Whether no token is left that a repetition would change. */
  complete: boolean;
  /** The first and the last of the new ends, in milliseconds since 1970; null if nothing was changed. */
  firstEnd: number | null;
  lastEnd: number | null;
  /** In a dry run, the first tokens that would be changed. */
  samples: { token: BreakingToken; end: number }[];
}

/**
 * Gives an end to the organization's tokens that never expire or live too long for the policy. No token gets a longer life. Each
 * transaction changes 200 tokens and writes their events; the event of the whole is written last. So a kill leaves whole
 * transactions, and a repetition changes the rest. Rejects as `requireValidCaller` and
 * `requireAdministrator` do.
 */
export async function applyPolicy(deps: Deps, actor: AuthenticatedActor, wish: Application): Promise<Applied> {
  const { db, now, config } = deps;
  const { caller } = actor;
  const start = now();
  const applied: Applied = { changed: 0, unchanged: 0, complete: true, firstEnd: null, lastEnd: null, samples: [] };
  for await (const tokens of breakingTokens(deps, caller, start, BATCH)) {
    if (!wish.dryRun && applied.changed >= MOST_CHANGED) {
      applied.complete = false;
      break;
    }
    const ends = wish.dryRun
      ? withEnds(tokens, start, wish, config)
      : await db.write((trx) => changeBatch(trx, deps, actor, tokens, start, wish));
    for (const { token, end } of ends) {
      if (end === null) {
        applied.unchanged += 1;
        continue;
      }
      applied.changed += 1;
      applied.firstEnd = Math.min(applied.firstEnd ?? end, end);
      applied.lastEnd = Math.max(applied.lastEnd ?? end, end);
      if (wish.dryRun && applied.samples.length < MOST_SAMPLES) applied.samples.push({ token, end });
    }
  }
  if (!wish.dryRun && applied.changed > 0) {
    const { action, inDays, spreadDays } = wish;
    const { changed: count, unchanged } = applied;
    const changes = { count, after: { action, inDays, spreadDays, unchanged, complete: applied.complete } };
    await db.write((trx) =>
      recordEvent(trx, actor, now(), {
        action: 'policy.applied',
        owner: { organizationId: caller.organizationId },
        target: null,
        changes,
      }),
    );
  }
  return applied;
}

interface Ending {
  token: BreakingToken;
  /** The new end; null for a token that ends sooner anyway. */
  end: number | null;
}

function withEnds(tokens: readonly BreakingToken[], start: number, wish: Application, rules: Rules): Ending[] {
  return tokens.map((token) => {
    const end = endOf(token, start, wish, rules);
    return { token, end: token.expiresAt !== null && token.expiresAt <= end ? null : end };
  });
}

/** The end that the token gets: within the days of the wish, by its uuid alone, and no later than the policy allows. */
function endOf({ uuid }: BreakingToken, start: number, { inDays, spreadDays }: Application, rules: Rules): number {
  const share = hash('sha256', uuid, 'buffer').readUInt32BE(0) / 2 ** 32;
  const end = start + Math.floor((inDays + share * spreadDays) * DAY);
  return rules.maxLifetimeDays === null ? end : Math.min(end, start + rules.maxLifetimeDays * DAY);
}

async function changeBatch(
  trx: Queries,
  { now, config }: Deps,
  actor: AuthenticatedActor,
  tokens: readonly BreakingToken[],
  start: number,
  wish: Application,
): Promise<Ending[]> {
  const { caller } = actor;
  await lockOwners(trx, caller.ownerId, ...tokens.map(({ ownerId }) => ownerId));
  const at = now();
  await requireValidCaller(trx, caller, at, [POLICY]);
  await requireAdministrator(trx, caller, [POLICY]);
  const ids = tokens.map(({ id }) => id);
  const ends = withEnds(await stillBreaking(trx, config, caller, at, ids), start, wish, config);
  const changing = ends.flatMap(({ token, end }) => (end === null ? [] : [{ token, end }]));
  const isOver = ({ end }: { end: number }) => wish.action === 'revoke' && end <= at;
  await revokeNow(
    trx,
    actor,
    at,
    changing.filter(isOver).map(({ token }) => token),
  );
  for (const { token, end } of changing.filter((each) => !isOver(each))) {
    const settings = wish.action === 'revoke' ? withRevocationAt(token.settings, end) : token.settings;
    await sendPrepared(trx, shorten, { id: token.id, end, at, settings });
    await recordEvent(trx, actor, at, {
      action: 'token.updated',
      owner: { organizationId: caller.organizationId, ownerId: token.ownerId },
      target: token,
      reason: 'policy',
      changes: { before: { expiresAt: toInstantOrNull(token.expiresAt) }, after: { expiresAt: toInstant(end) } },
    });
  }
  return ends;
}

const shorten = (
  trx: Queries,
  { id, end, at, settings }: { id: number; end: number; at: number; settings: string | null },
) =>
  trx
    .updateTable('access_tokens')
    .set({ expires_at: end, lifetime_from: at, settings, version: sql<number>`version + 1` })
    .where('id', '=', id);

/** Revokes the tokens, with one event for each owner. */
async function revokeNow(
  trx: Queries,
  actor: AuthenticatedActor,
  at: number,
  tokens: readonly BreakingToken[],
): Promise<void> {
  if (tokens.length === 0) return;
  const revocation = { at, by: actor, reason: 'policy' } as const;
  const ids = tokens.map(({ id }) => id);
  await trx.updateTable('access_tokens').set(revoked(revocation)).where('id', 'in', ids).execute();
  for (const ownerId of new Set(tokens.map((token) => token.ownerId))) {
    const uuids = tokens.filter((token) => token.ownerId === ownerId).map(({ uuid }) => uuid.replaceAll('-', ''));
    const owner = { organizationId: actor.caller.organizationId, ownerId };
    await recordRevocations(trx, revocation, owner, { count: uuids.length, uuids });
  }
}
