import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { unavailable } from '../errors.js';
import { InvalidArgument } from '../invalid-argument.js';
import { randomBase62 } from '../tokens/format.js';

/** OWASP's Password Storage Cheat Sheet: Argon2id with 19 MiB of memory, two passes, one lane. */
const PARAMETERS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Hashes at a time: each keeps a core busy for about 15 ms, and one core stays with everybody else's requests. */
const MOST_AT_ONCE = Math.max(1, availableParallelism() - 1);
/** About a second's worth; more could not be answered before the clients give up. */
const MOST_WAITING = 64;

const SHORTEST = 8;
const LONGEST = 1_024;

export interface Passwords {
  /** The password's Argon2id hash, in PHC string form. Throws `InvalidArgument` outside 8 to 1024 characters. */
  hash(password: string): Promise<string>;
  /**
   * Whether `password` is the one that `stored` was made of. With `undefined` (no such user) it takes the same time and
   * says no. Rejects with `service_unavailable` where too many wait.
   */
  verify(stored: string | undefined, password: string): Promise<boolean>;
}

export function createPasswords(): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];
  let nobody: Promise<string> | undefined;

  /** Runs `work` off the event loop's thread, a few at a time. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= MOST_AT_ONCE) {
      if (waiting.length >= MOST_WAITING) throw unavailable('Too many logins at once; try again.');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  }

  return {
    async hash(password) {
      if (password.length < SHORTEST || password.length > LONGEST) {
        throw new InvalidArgument(`a password must have ${String(SHORTEST)} to ${String(LONGEST)} characters`);
      }
      return await inTurn(() => hash(password, PARAMETERS));
    },
    async verify(stored, password) {
      nobody ??= hash(randomBase62(32), PARAMETERS);
      const against = stored ?? (await nobody);
      const matches = await inTurn(() => verify(against, password));
      return matches && stored !== undefined;
    },
  };
}

/** 24 base62 characters: 142 bits. */
export function generatePassword(): string {
  return randomBase62(24);
}
