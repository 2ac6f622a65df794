import { availableParallelism } from 'node:os';
import { InvalidArgument } from '../config/invalid-argument.js';
import type { Passwords } from '../deps.js';
import { overloaded } from '../errors.js';
import { randomBase62 } from '../tokens/format.js';

/** OWASP's Password Storage Cheat Sheet: Argon2id with 19 MiB of memory, two passes, one lane. */
const PARAMETERS = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Argon2's smallest cost, for passwords that end with a test. */
export const QUICK_HASH: typeof PARAMETERS = { algorithm: 2, memoryCost: 8, timeCost: 1, parallelism: 1 };
/** The most hashes that wait: about half a second of work. Further ones could not be answered within a second. */
const MOST_WAITING = 24;

/** A package that this needs is not installed as a whole. The message tells the operator what to do. */
export class PackageMissing extends Error {
  override name = 'PackageMissing';
}

/**
 * Loads the hash function at the first password, because most processes need none for a while after their start. Rejects
 * with `PackageMissing` if the package's part for this machine is not installed.
 */
async function loadArgon2(): Promise<typeof import('@node-rs/argon2')> {
  try {
    return await import('@node-rs/argon2');
  } catch (error) {
    const remedy = 'install again with optional dependencies (npm install --include=optional)';
    throw new PackageMissing(`@node-rs/argon2, which hashes passwords, lacks its part for this machine: ${remedy}`, {
      cause: error,
    });
  }
}

/** A hash of 32 random bytes that nobody knows. It is verified for unknown users, so that they take the same time. */
const NOBODY = '$argon2id$v=19$m=19456,t=2,p=1$AOPiuhUEOzZAee8tHSn+rQ$WGGV/kNm7D4a1Z28KlIj8/ZPRUFT97LRTl12kkwPm/Y';

const SHORTEST = 8;
const LONGEST = 1_024;

/**
 * Creates the hashing of passwords. `parameters` are weaker only in tests. `processes` is the number of processes that share
 * the machine: together they leave one core to other requests, because each hash takes a core for about 15 ms.
 */
export function createPasswords(parameters = PARAMETERS, processes = 1): Passwords {
  const mostAtOnce = Math.max(1, Math.floor((availableParallelism() - 1) / processes));
  let running = 0;
  const waiting: (() => void)[] = [];

  /** Runs `work` outside the event loop's thread, at most `mostAtOnce` at a time. Rejects with `overloaded`. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= mostAtOnce) {
      if (waiting.length >= MOST_WAITING) throw overloaded();
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
      const { length } = Array.from(password);
      if (length < SHORTEST || length > LONGEST) {
        throw new InvalidArgument(`a password must have ${String(SHORTEST)} to ${String(LONGEST)} characters`);
      }
      const { hash } = await loadArgon2();
      return await inTurn(() => hash(password, parameters));
    },
    verify(stored, password, attempt) {
      return inTurn(async () => {
        const { verify } = await loadArgon2();
        await attempt.begin();
        let isRight = false;
        try {
          isRight = (await verify(stored ?? NOBODY, password)) && stored !== undefined;
          return isRight;
        } finally {
          await (isRight ? attempt.succeed() : attempt.fail());
        }
      });
    },
  };
}

/** Generates a password of 24 base62 characters: 142 random bits. */
export function generatePassword(): string {
  return randomBase62(24);
}
