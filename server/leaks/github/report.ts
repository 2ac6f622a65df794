import { verify } from 'node:crypto';
import type { Deps } from '../../deps.js';
import { ServiceError } from '../../errors.js';
import type { Actor } from '../../tokens/actor.js';
import type { Plaintext } from '../../tokens/plaintext.js';
import { knownDigests } from '../exposed.js';
import { storeReport } from '../reports.js';

/** The bytes of a message, as they were sent, and its signature in base64. */
export interface SignedMessage {
  bytes: Uint8Array;
  keyIdentifier: string;
  signature: string;
}

/** A text that GitHub found. */
export interface FoundSecret {
  plaintext: Plaintext;
  /** The name of the pattern that it matched. */
  type: string;
  url: string | null;
  source: string | null;
}

/** What GitHub learns of a text. */
export interface LabelledSecret {
  /** 64 hexadecimal digits. */
  sha256: string;
  type: string;
  /** Whether a token has or had this secret. */
  isKnown: boolean;
}

/** Digests in one query. */
const BATCH = 100;

/**
 * Stores what GitHub found, which is acted on within a second, and returns which texts are or were secrets of tokens. Rejects with
 * `not_found` if the operator has set no address of GitHub's keys, with `invalid_signature`, and with `service_unavailable` if
 * the keys cannot be read.
 */
export async function reportGitHubSecrets(
  { db, now, leaks, gitHubKeys }: Deps,
  actor: Actor,
  { bytes, keyIdentifier, signature }: SignedMessage,
  secrets: readonly FoundSecret[],
): Promise<LabelledSecret[]> {
  if (gitHubKeys === null) throw new ServiceError('not_found', { detail: 'This service takes no messages of GitHub.' });
  const key = await gitHubKeys.find(keyIdentifier);
  if (key === undefined || !verify('sha256', bytes, key, Buffer.from(signature, 'base64'))) {
    throw new ServiceError('invalid_signature');
  }
  const digests = secrets.map(({ plaintext }) => plaintext.digest());
  const known = new Set<string>();
  for (let start = 0; start < digests.length; start += BATCH) {
    const batch = digests.slice(start, start + BATCH).map((digest) => digest.bytes);
    for (const hex of await knownDigests(db.read, batch)) known.add(hex);
  }
  const found = secrets.filter((_, index) => known.has(digests[index]?.hex ?? ''));
  if (found.length > 0) {
    await db.write(async (trx) => {
      for (const [source, url, credentials] of byPlace(found)) {
        await storeReport(trx, actor, now(), { credentials, source, url });
      }
    });
    leaks.wake();
  }
  return secrets.map(({ plaintext, type }, index) => ({
    sha256: plaintext.sha256,
    type,
    isKnown: known.has(digests[index]?.hex ?? ''),
  }));
}

/** The texts of each place where some were found. */
function byPlace(secrets: readonly FoundSecret[]): [source: string, url: string | null, Plaintext[]][] {
  const places = new Map<string, [string, string | null, Plaintext[]]>();
  for (const { plaintext, url, source } of secrets) {
    const name = source === null ? 'GitHub' : `GitHub: ${source}`;
    const place = JSON.stringify([name, url]);
    const known = places.get(place);
    if (known === undefined) places.set(place, [name, url === '' ? null : url, [plaintext]]);
    else known[2].push(plaintext);
  }
  return [...places.values()];
}
