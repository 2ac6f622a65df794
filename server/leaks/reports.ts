import type { Selectable } from 'kysely';
import { type Queries, sendPrepared } from '../database/index.js';
import type { LeakReportTable } from '../database/schema.js';
import type { Actor } from '../tokens/actor.js';
import type { Plaintext } from '../tokens/plaintext.js';
import { masked } from './masked.js';

// A report is stored before anything is looked up, so that neither the answer nor its time tells what was in it.

/** Bytes. */
export const DIGEST_LENGTH = 16;
const LONGEST_SOURCE = 64;
const LONGEST_URL = 1_024;

/** Texts that leaked together. */
export interface Leak {
  credentials: readonly Plaintext[];
  /** Who or what found them; null if nobody said so. */
  source: string | null;
  /** Where they were found; null if nobody said so. */
  url: string | null;
}

/** Stores what `actor` reported at the instant `at`. Of the texts it stores the digests. */
export async function storeReport(
  trx: Queries,
  actor: Actor,
  at: number,
  { credentials, source, url }: Leak,
): Promise<void> {
  const digests = new Map(credentials.map((credential) => credential.digest()).map((digest) => [digest.hex, digest]));
  await sendPrepared(trx, newReport, {
    received_at: at,
    address: actor.recordedAddress,
    user_agent: actor.userAgent,
    request_id: actor.requestId,
    source: source === null ? null : masked(source, LONGEST_SOURCE),
    url: url === null ? null : masked(url, LONGEST_URL),
    digests: Buffer.concat([...digests.values()].map(({ bytes }) => bytes)),
  });
}

type NewReport = Omit<Selectable<LeakReportTable>, 'id'>;

const newReport = (trx: Queries, row: NewReport) =>
  trx.insertInto('leak_reports').values({
    received_at: row.received_at,
    address: row.address,
    user_agent: row.user_agent,
    request_id: row.request_id,
    source: row.source,
    url: row.url,
    digests: row.digests,
  });
