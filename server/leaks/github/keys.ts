import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { unavailable } from '../../errors.js';
import type { Log } from '../../log/log.js';
import { clearTimeout, type Now, setTimeout } from '../../timers.js';

// GitHub publishes its keys at https://api.github.com/meta/public_keys/secret_scanning, and adds one before it uses it.

/** Milliseconds for which keys are used without asking again: a day. */
const FRESH = 24 * 60 * 60_000;
/** Milliseconds after which an unknown identifier makes the keys be read again: a minute. */
const PAUSE = 60_000;
/** Milliseconds in which the keys must have arrived. */
const PATIENCE = 10_000;
/** Characters of the longest answer. GitHub's has about 1,000. */
const LONGEST = 262_144;

export interface GitHubKeys {
  /**
   * Returns the key with this identifier; undefined if GitHub has none. Rejects with `service_unavailable` if the keys cannot be
   * read and none are known.
   */
  find(identifier: string): Promise<KeyObject | undefined>;
}

/** Reads GitHub's keys at `url`, which is https or a file. */
export function createGitHubKeys(url: string, now: Now, log: Log): GitHubKeys {
  let keys: ReadonlyMap<string, KeyObject> | undefined;
  /** When the keys were read last, and when this was tried last. */
  let readAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    triedAt = now();
    try {
      keys = parseKeys(await textAt(url));
      readAt = triedAt;
    } catch (error) {
      log.warn({ err: error }, "GitHub's keys could not be read");
    }
  }

  return {
    async find(identifier) {
      const age = now() - readAt;
      const isKnown = keys?.has(identifier) === true;
      // A clock that was set back must not keep old keys.
      const isFresh = age >= 0 && age < FRESH;
      const pause = Math.abs(now() - triedAt);
      if (!(isKnown && isFresh) && pause >= PAUSE) {
        reading ??= read().finally(() => {
          reading = undefined;
        });
      }
      await reading;
      if (keys === undefined) throw unavailable("GitHub's keys cannot be read.");
      return keys.get(identifier);
    },
  };
}

async function textAt(url: string): Promise<string> {
  if (new URL(url).protocol === 'file:') return await readFile(new URL(url), 'utf8');
  const ending = new AbortController();
  const timer = setTimeout(() => {
    ending.abort(new Error('there was no answer within 10 seconds'));
  }, PATIENCE);
  try {
    const response = await fetch(url, { redirect: 'error', signal: ending.signal });
    if (!response.ok) throw new Error(`the answer has status ${String(response.status)}`);
    return await response.text();
  } finally {
    clearTimeout(timer);
  }
}

/** Throws an `Error` for anything but GitHub's list of keys, each on the curve P-256. */
function parseKeys(text: string): ReadonlyMap<string, KeyObject> {
  if (text.length > LONGEST) throw new Error('the list of keys is too long');
  const { public_keys: list } = JSON.parse(text) as { public_keys?: unknown };
  if (!Array.isArray(list)) throw new Error('there is no list public_keys');
  return new Map(
    list.map((entry: { key_identifier?: unknown; key?: unknown }) => {
      const key = createPublicKey(String(entry.key));
      if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('a key is not on the curve P-256');
      return [String(entry.key_identifier), key];
    }),
  );
}
