import { type Config, openOptions } from '../config/config.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import { IN_MEMORY, lockedDigest, openDatabase, type Queries, runPrepared } from '../database/index.js';
import { dateNow } from '../timers.js';
import { toUuid } from '../uuid.js';
import { newKey, readKeys, replaceKeys } from './key-file.js';
import { keyFileOf, keyMissing } from './keyring.js';
import { digestOfKey, seal, unseal } from './seal.js';

/** What `rotateSecretKey` did. */
export interface KeyRotation {
  /** The file with the keys, the new one first. */
  file: string;
  /** The webhooks whose secrets were encrypted anew; null if only the file was changed. */
  webhooks: number | null;
}

/**
 * Replaces the key that encrypts the secrets of webhooks, while the service may run. The new key becomes the first line of the
 * key file, and the former ones stay in it. If the first line is not the present key already, as after an interruption, that
 * line is the new key. With `prepare` only the file is changed, so that other machines can get it first.
 *
 * Rejects with `InvalidArgument` if there is nothing to replace, if the file lacks the present key or cannot be replaced, and
 * if a secret cannot be decrypted; and with `UnusableDatabase`. Then all secrets are as before.
 */
export async function rotateSecretKey(
  config: Readonly<Config>,
  { prepare = false }: { prepare?: boolean } = {},
): Promise<KeyRotation> {
  if (config.database === IN_MEMORY)
    throw new InvalidArgument('a database in memory has no key that could be replaced');
  const file = keyFileOf(config);
  const db = await openDatabase(config.database, openOptions(config));
  try {
    return await db.write(async (trx) => {
      // Two rotations at the same time would each overwrite the other one's file, so that the row is locked first.
      const [row] = await runPrepared(trx, lockedDigest, {});
      if (row === undefined) {
        throw new InvalidArgument('this database has no encrypted secrets yet, so that there is no key to replace');
      }
      const keys = file === undefined ? [] : readKeys(file);
      const present = keys.find((key) => digestOfKey(key).equals(row.digest));
      if (file === undefined || present === undefined) throw keyMissing(file);
      const [first = present] = keys;
      const next = first === present ? newKey() : first;
      // The file has both keys before the first secret is encrypted with the new one.
      if (next !== first) replaceKeys(file, [next, ...keys]);
      return { file, webhooks: prepare ? null : await sealAnew(trx, file, keys, next) };
    });
  } finally {
    await db.close();
  }
}

/** Encrypts all secrets with the key `next`. Returns the number of webhooks. */
async function sealAnew(trx: Queries, file: string, keys: readonly Uint8Array[], next: Uint8Array): Promise<number> {
  const webhooks = await trx
    .selectFrom('webhooks')
    .select(['id', 'uuid', 'secret', 'previous_secret'])
    .orderBy('id')
    .execute();
  for (const { id, uuid, secret, previous_secret: previous } of webhooks) {
    const anew = (sealed: Uint8Array): Uint8Array => {
      for (const key of keys) {
        const text = unseal(key, sealed, uuid);
        if (text !== undefined) return seal(next, text, uuid);
      }
      const name = toUuid(Buffer.from(uuid).toString('hex'));
      throw new InvalidArgument(
        `no key in ${file} decrypts the secret of the webhook ${name}, so that no secret was changed`,
      );
    };
    const sealed = { secret: anew(secret), previous_secret: previous === null ? null : anew(previous) };
    await trx.updateTable('webhooks').set(sealed).where('id', '=', id).execute();
  }
  await trx
    .updateTable('secret_keys')
    .set({ digest: digestOfKey(next), created_at: dateNow() })
    .where('id', '=', 1)
    .execute();
  return webhooks.length;
}
