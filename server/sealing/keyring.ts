import type { Config } from '../config/config.js';
import { InvalidArgument } from '../config/invalid-argument.js';
import { isPostgresUrl } from '../config/postgres-url.js';
import { type Database, IN_MEMORY, lockedDigest, type Queries, runPrepared } from '../database/index.js';
import type { Keyring, Sealer } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Now } from '../timers.js';
import { makeKeyFile, newKey, readKeys } from './key-file.js';
import { digestOfKey, seal, unseal } from './seal.js';

// The database stores the digest of the one key that seals its secrets. The key itself is in a file, so that who has a copy of
// the database alone cannot sign.

const OTHER_KEY = 'is not the key with which the secrets in this database are encrypted';

/** The key of all databases in memory: a snapshot of one local server can be restored in another one of the process. */
let keyInMemory: Uint8Array | undefined;

/** Where the key is; undefined for a PostgreSQL database without `LATCHKEY_SECRET_KEY_FILE`. */
export function keyFileOf({ database, secretKeyFile }: Pick<Config, 'database' | 'secretKeyFile'>): string | undefined {
  return secretKeyFile ?? (isPostgresUrl(database) ? undefined : `${database}.key`);
}

export function createKeyring(
  db: Pick<Database, 'read' | 'write'>,
  config: Pick<Config, 'database' | 'secretKeyFile'>,
  now: Now,
): Keyring {
  const { database, secretKeyFile } = config;
  const inMemory = database === IN_MEMORY && secretKeyFile === null;
  /** Whether the service makes the file at the first need. */
  const isOwn = !inMemory && secretKeyFile === null;
  const file = keyFileOf(config);
  let keys: Uint8Array[] | undefined;

  /** The keys of the file. They are read again if none of them is the wanted one, as after a rotation. */
  function keysWith(isWanted: (key: Uint8Array) => boolean): Uint8Array[] {
    if (keys?.some(isWanted) !== true) {
      keys = inMemory ? [(keyInMemory ??= newKey())] : file === undefined ? [] : readKeys(file);
    }
    return keys;
  }

  function keyOf(digest: Uint8Array): Uint8Array | undefined {
    const isWanted = (key: Uint8Array) => digestOfKey(key).equals(digest);
    return keysWith(isWanted).find(isWanted);
  }

  async function readDigest(): Promise<Uint8Array | undefined> {
    const [row] = await runPrepared(db.read, storedDigest, {});
    return row?.digest;
  }

  return {
    async check() {
      if (secretKeyFile !== null && readKeys(secretKeyFile).length === 0) {
        throw new InvalidArgument(`LATCHKEY_SECRET_KEY_FILE: there is no file ${secretKeyFile}`);
      }
      const digest = await readDigest();
      if (digest === undefined || keyOf(digest) !== undefined) return;
      throw keyMissing(file);
    },

    async sealer() {
      let digest = await readDigest();
      if (digest === undefined) {
        if (file !== undefined && isOwn && readKeys(file).length === 0) makeKeyFile(file);
        const [key] = keysWith(() => false);
        if (key === undefined) throw new ServiceError('secret_key_missing');
        const row = { digest: digestOfKey(key), at: now() };
        await db.write((trx) => runPrepared(trx, storeDigest, row));
        digest = (await readDigest()) ?? row.digest;
      }
      const key = keyOf(digest);
      if (key === undefined) {
        throw new ServiceError('secret_key_missing', { detail: `The key of this service ${OTHER_KEY}.` });
      }
      return toSealer(key, digest);
    },

    unseal(sealed, context) {
      const open = (key: Uint8Array) => unseal(key, sealed, context);
      for (const key of keysWith((each) => open(each) !== undefined)) {
        const text = open(key);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

/** Says that the keys of `file` are not the one that the database's secrets are encrypted with. */
export function keyMissing(file: string | undefined): InvalidArgument {
  const isMissing = file === undefined || readKeys(file).length === 0;
  return new InvalidArgument(
    isMissing
      ? `this database has encrypted secrets, and there is no key for them: set LATCHKEY_SECRET_KEY_FILE${
          file === undefined ? '' : `, or put back ${file}`
        }`
      : `the key in ${file} ${OTHER_KEY}`,
  );
}

function toSealer(key: Uint8Array, digest: Uint8Array): Sealer {
  return {
    async lock(trx) {
      const [row] = await runPrepared(trx, lockedDigest, {});
      return row !== undefined && Buffer.from(row.digest).equals(digest);
    },
    seal: (text, context) => seal(key, text, context),
  };
}

const storedDigest = (read: Queries) => read.selectFrom('secret_keys').select('digest').where('id', '=', 1);

const storeDigest = (trx: Queries, { digest, at }: { digest: Uint8Array; at: number }) =>
  trx
    .insertInto('secret_keys')
    .values({ id: 1, digest, created_at: at })
    .onConflict((conflict) => conflict.column('id').doNothing());
