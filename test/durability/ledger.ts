import { type VerificationCode, verifyAccessTokens } from '../../generated/index.js';
import { clientOf } from '../support/process.js';
import { answered } from '../support/service.js';

export interface Held {
  id: string;
  plaintext: string;
}

/** What the service has promised by its answers. */
export interface Ledger {
  created(issued: { plaintext: string; token: { id: string } }): void;
  /** Revoked, or superseded by a rotation without a grace period. */
  ended(held: Held): void;
  /** Refused, so that it serves on. */
  unchanged(held: Held): void;
  /** A token that must serve, for a request that will change it. Until that is answered nobody can say what it is. */
  take(): Held | undefined;
  /** Those that must serve. */
  serving(): Held[];
  /** The plaintexts that must open nothing. */
  over(): string[];
}

/**
 * Creates an empty ledger. With `isDoubtful`, a refused change may have happened, so that the token of this change is in
 * neither list: PostgreSQL may have committed it, if the connection broke before the answer.
 */
export function createLedger({ isDoubtful = false } = {}): Ledger {
  const serving: Held[] = [];
  const over: string[] = [];
  return {
    created({ plaintext, token }) {
      serving.push({ id: token.id, plaintext });
    },
    ended({ plaintext }) {
      over.push(plaintext);
    },
    unchanged(held) {
      if (!isDoubtful) serving.push(held);
    },
    take() {
      const place = Math.floor(Math.random() * serving.length);
      const [held] = serving.splice(place, 1);
      return held;
    },
    serving: () => [...serving],
    over: () => [...over],
  };
}

/** A moment's promises: what is answered later does not change them. */
export interface Promises {
  serving: readonly Held[];
  over: readonly string[];
}

export function promisesOf(...ledgers: readonly Ledger[]): Promises {
  return { serving: ledgers.flatMap((ledger) => ledger.serving()), over: ledgers.flatMap((ledger) => ledger.over()) };
}

interface Asked {
  url: string;
  /** A session's token. */
  token: string;
}

/** How many of the promises the service at `url` does not keep. */
export async function broken(asked: Asked, { serving, over }: Promises): Promise<{ lost: number; revived: number }> {
  const served = await verdictsOn(
    asked,
    serving.map(({ plaintext }) => plaintext),
  );
  const opened = await verdictsOn(asked, over);
  return {
    lost: served.filter((code) => code !== 'valid').length,
    revived: opened.filter((code) => code === 'valid').length,
  };
}

/** The service's code for each of the plaintexts, in their order. */
export async function verdictsOn({ url, token }: Asked, plaintexts: readonly string[]): Promise<VerificationCode[]> {
  const found: VerificationCode[] = [];
  for (let start = 0; start < plaintexts.length; start += 100) {
    const tokens = plaintexts.slice(start, start + 100).map((plaintext) => ({ token: plaintext }));
    const { results } = await answered(verifyAccessTokens({ client: clientOf(url, token), body: { tokens } }));
    found.push(...results.map(({ code }) => code));
  }
  return found;
}
