import { type Queries, runPrepared } from '../database/index.js';
import { type Digest, digestsFrom, type Plaintext } from './plaintext.js';

// A token's secrets: the newest, and earlier ones that still serve for a while. Ended ones stay too, so that their use
// is noticed.

/** What finds a token's newest secret and tells of it once it is an earlier one. */
export interface RotatedToken {
  id: number;
  prefix: string;
  secret_start: Uint8Array;
  last_used_at: number | null;
}

const newSecret = (trx: Queries, { digest, tokenId }: { digest: Uint8Array; tokenId: number }) =>
  trx.insertInto('token_secrets').values({ digest, token_id: tokenId });

export async function insertSecret(trx: Queries, tokenId: number, digest: Digest): Promise<void> {
  await runPrepared(trx, newSecret, { digest: digest.bytes, tokenId });
}

/**
 * Makes `plaintext` the token's newest secret `at` this moment; earlier ones serve until `validUntil`, and no longer than
 * before.
 */
export async function replaceSecret(
  trx: Queries,
  token: RotatedToken,
  plaintext: Plaintext,
  validUntil: number,
  at: number,
): Promise<void> {
  const { id, prefix, secret_start: start, last_used_at: lastUsedAt } = token;
  const digest = plaintext.digest();
  const [lowest, highest] = digestsFrom(start);
  await shortenEarlierSecrets(trx, id, validUntil, at);
  await trx
    .updateTable('token_secrets')
    .set({ valid_until: validUntilColumn(validUntil, at) })
    .where('digest', '>=', lowest)
    .where('digest', '<=', highest)
    .where('token_id', '=', id)
    .where('valid_until', 'is', null)
    .execute();
  await insertSecret(trx, id, digest);
  await trx
    .updateTable('access_tokens')
    .set({
      prefix: plaintext.prefix,
      secret_start: digest.start,
      previous_prefix: prefix,
      previous_valid_until: validUntil,
      previous_last_used_at: lastUsedAt,
    })
    .where('id', '=', id)
    .execute();
}

/** Ends all secrets before the newest at this instant, and takes them off the token's record. */
export async function endEarlierSecrets(trx: Queries, tokenId: number, at: number): Promise<void> {
  await shortenEarlierSecrets(trx, tokenId, at, at);
  await trx
    .updateTable('access_tokens')
    .set({ previous_prefix: null, previous_valid_until: null, previous_last_used_at: null })
    .where('id', '=', tokenId)
    .execute();
}

async function shortenEarlierSecrets(trx: Queries, tokenId: number, validUntil: number, at: number): Promise<void> {
  await trx
    .updateTable('token_secrets')
    .set({ valid_until: validUntilColumn(validUntil, at) })
    .where('token_id', '=', tokenId)
    .where('valid_until', '>', validUntil)
    .execute();
}

/** What is over already is marked so by its sign, and does not come back when the clock is set back. */
function validUntilColumn(validUntil: number, at: number): number {
  return validUntil <= at ? -validUntil : validUntil;
}
