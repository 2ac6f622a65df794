import { lastGivenId, type Queries, sendPrepared } from '../database/index.js';
import { type Digest, digestsFrom, type Plaintext } from './plaintext.js';

// A token has its newest secret, and earlier ones with an end. Ended secrets stay stored, so that their use can be logged.

/** A token whose newest secret is replaced: the values that find this secret, and those of its `previousSecret`. */
export interface RotatedToken {
  id: number;
  prefix: string;
  /** 8 hexadecimal digits. */
  secret_start: string;
  last_used_at: number | null;
}

const newSecret = (trx: Queries, { digest, tokenId }: { digest: Uint8Array; tokenId: number }) =>
  trx.insertInto('token_secrets').values({ digest, token_id: tokenId });

/** The owner of the token that has a secret with this digest. */
export const ownerBySecret = (trx: Queries, { digest }: { digest: Uint8Array }) =>
  trx
    .selectFrom('token_secrets as secret')
    .innerJoin('access_tokens as token', 'token.id', 'secret.token_id')
    .select('token.owner_id')
    .where('secret.digest', '=', digest);

/** The owner of the session that has a refresh token with this digest. */
export const ownerByRefreshToken = (trx: Queries, { digest }: { digest: Uint8Array }) =>
  trx
    .selectFrom('refresh_tokens as refresh')
    .innerJoin('access_tokens as token', 'token.id', 'refresh.token_id')
    .select('token.owner_id')
    .where('refresh.digest', '=', digest);

const firstSecret = (trx: Queries, { digest }: { digest: Uint8Array }) =>
  trx.insertInto('token_secrets').values({ digest, token_id: lastGivenId(trx) });

/** Inserts the secret of the token that `trx` inserted last. */
export async function insertFirstSecret(trx: Queries, digest: Digest): Promise<void> {
  await sendPrepared(trx, firstSecret, { digest: digest.bytes });
}

async function insertSecret(trx: Queries, tokenId: number, digest: Digest): Promise<void> {
  await sendPrepared(trx, newSecret, { digest: digest.bytes, tokenId });
}

/** The columns that a rotation sets in the token's row. */
interface ReplacedSecret {
  prefix: string;
  secret_start: Uint8Array;
  previous_prefix: string;
  previous_valid_until: number;
  previous_last_used_at: number | null;
}

/**
 * Makes `plaintext` the token's newest secret at the instant `at`, and returns the columns that the token's row then needs.
 * Earlier secrets stay valid until `validUntil`, or until their own end if that is sooner.
 */
export async function replaceSecret(
  trx: Queries,
  token: RotatedToken,
  plaintext: Plaintext,
  validUntil: number,
  at: number,
): Promise<ReplacedSecret> {
  const { id, prefix, secret_start: start, last_used_at: lastUsedAt } = token;
  const digest = plaintext.digest();
  const [lowest, highest] = digestsFrom(Buffer.from(start, 'hex'));
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
  return {
    prefix: plaintext.prefix,
    secret_start: digest.start,
    previous_prefix: prefix,
    previous_valid_until: validUntil,
    previous_last_used_at: lastUsedAt,
  };
}

/** The columns of a token's row without an earlier secret; set them with `endEarlierSecrets`. */
export const NO_PREVIOUS_SECRET = {
  previous_prefix: null,
  previous_valid_until: null,
  previous_last_used_at: null,
} as const;

/** Ends all earlier secrets at the instant `at`. */
export async function endEarlierSecrets(trx: Queries, tokenId: number, at: number): Promise<void> {
  await shortenEarlierSecrets(trx, tokenId, at, at);
}

async function shortenEarlierSecrets(trx: Queries, tokenId: number, validUntil: number, at: number): Promise<void> {
  await trx
    .updateTable('token_secrets')
    .set({ valid_until: validUntilColumn(validUntil, at) })
    .where('token_id', '=', tokenId)
    .where('valid_until', '>', validUntil)
    .execute();
}

/** Negative if `validUntil` is not after `at`: the secret then stays expired even if the clock is set back. */
function validUntilColumn(validUntil: number, at: number): number {
  return validUntil <= at ? -validUntil : validUntil;
}
