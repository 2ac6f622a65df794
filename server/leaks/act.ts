import { lockOwners, type Queries, runPrepared, withoutLocked } from '../database/index.js';
import type { Deps } from '../deps.js';
import type { Json } from '../events/changes.js';
import { recordEvent } from '../events/record.js';
import { queueMails } from '../mail/receivers.js';
import { leakedMail } from '../mail/texts.js';
import type { Actor } from '../tokens/actor.js';
import { changeToken } from '../tokens/changeable.js';
import { revoked } from '../tokens/revocation.js';
import { uuidBytes } from '../uuid.js';
import { type ExposedToken, findExposed, ownersOf } from './exposed.js';
import { DIGEST_LENGTH } from './reports.js';

/** Digests that one transaction acts on; few, so that no request waits long for it. */
const BATCH = 100;
/** Milliseconds in which a further report of a token that changes nothing writes no further event: a day. */
const QUIET = 24 * 60 * 60_000;

/** What was done with a token that leaked. */
type Outcome = 'revoked' | 'disabled' | 'none';

/** A token that leaked, and what was done with it. */
export interface LeakedToken {
  tokenId: string;
  ownerId: number;
  outcome: Outcome;
}

/** Acts on the oldest report, or on a part of it. Returns the tokens that leaked; undefined if there is no report. */
export async function actOnReport(
  deps: Pick<Deps, 'db' | 'now' | 'config' | 'mails'>,
): Promise<LeakedToken[] | undefined> {
  // Most of the time there is none, and then there is no transaction either.
  const [oldest] = await runPrepared(deps.db.read, anyReport, {});
  if (oldest === undefined) return undefined;
  return await deps.db.write(async (trx) => {
    const [report] = await withoutLocked(
      trx,
      trx.selectFrom('leak_reports').selectAll().orderBy('id').limit(1),
    ).execute();
    if (report === undefined) return undefined;
    const digests = digestsIn(report.digests.subarray(0, BATCH * DIGEST_LENGTH));
    const rest = report.digests.subarray(BATCH * DIGEST_LENGTH);
    await lockOwners(trx, ...(await ownersOf(trx, digests)));
    const at = deps.now();
    const by: Actor = {
      kind: 'anonymous',
      caller: null,
      address: report.address,
      recordedAddress: report.address,
      userAgent: report.user_agent,
      requestId: report.request_id,
    };
    const leaked: LeakedToken[] = [];
    for (const token of await findExposed(trx, digests, at)) {
      const outcome = outcomeFor(token, deps.config.leakAction);
      if (outcome === 'none' && (await isReported(trx, token, at - QUIET))) continue;
      await recordLeak(trx, by, at, token, { source: report.source, url: report.url, outcome });
      if (token.type === 'pat') {
        const found = { source: report.source, url: report.url, outcome };
        await queueMails(deps.mails, trx, at, token.ownerId, (whose) => leakedMail(token, found, whose, deps.config));
      }
      if (outcome === 'revoked') await revoke(trx, by, at, token);
      if (outcome === 'disabled') await disable(trx, by, at, token);
      leaked.push({ tokenId: token.uuid, ownerId: token.ownerId, outcome });
    }
    if (rest.length === 0) await trx.deleteFrom('leak_reports').where('id', '=', report.id).execute();
    else await trx.updateTable('leak_reports').set({ digests: rest }).where('id', '=', report.id).execute();
    return leaked;
  });
}

const anyReport = (read: Queries) => read.selectFrom('leak_reports').select('id').orderBy('id').limit(1);

function digestsIn(bytes: Uint8Array): Uint8Array[] {
  const count = Math.floor(bytes.length / DIGEST_LENGTH);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * DIGEST_LENGTH, (index + 1) * DIGEST_LENGTH),
  );
}

/** Expired and disabled tokens are revoked too, because they could be rotated or enabled. */
function outcomeFor({ secret, revokedAt, disabledAt, type }: ExposedToken, action: LeakAction): Outcome {
  if (secret === 'ended' || revokedAt !== null || action === 'notify') return 'none';
  // Nobody enables a session again.
  if (action === 'revoke' || type === 'session') return 'revoked';
  return disabledAt === null ? 'disabled' : 'none';
}

type LeakAction = Deps['config']['leakAction'];

async function isReported(trx: Queries, { uuid }: ExposedToken, after: number): Promise<boolean> {
  const found = await trx
    .selectFrom('audit_events')
    .select('id')
    .where('target_uuid', '=', uuidBytes(uuid))
    .where('at', '>', after)
    .where('action', '=', 'token.leaked')
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

async function recordLeak(
  trx: Queries,
  by: Actor,
  at: number,
  token: ExposedToken,
  { source, url, outcome }: { source: string | null; url: string | null; outcome: Outcome },
): Promise<void> {
  const after: Record<string, Json> = {
    secret: token.secret,
    kind: token.isRefreshToken ? 'refresh token' : 'access token',
    outcome,
    source,
    url,
  };
  await recordEvent(trx, by, at, { action: 'token.leaked', owner: token, target: token, changes: { after } });
}

async function revoke(trx: Queries, by: Actor, at: number, token: ExposedToken): Promise<void> {
  const revocation = { at, by, reason: 'leak' } as const;
  await trx
    .updateTable('access_tokens')
    .set(revoked(revocation))
    .where('id', '=', token.id)
    .where('revoked_at', 'is', null)
    .execute();
  await recordEvent(trx, by, at, { action: 'token.revoked', owner: token, target: token, reason: 'leak' });
}

async function disable(trx: Queries, by: Actor, at: number, token: ExposedToken): Promise<void> {
  await changeToken(trx, token, { disabled_at: at });
  const changes = { before: { disabled: false }, after: { disabled: true } };
  await recordEvent(trx, by, at, { action: 'token.updated', owner: token, target: token, reason: 'leak', changes });
}
