import { performanceNow } from '../timers.js';
import type { Question } from './questions.js';
import type { Answered } from './service.js';
import type { Verdict } from './verdict.js';

interface Limits {
  /** Seconds that a verdict is used. */
  seconds: number;
  /** Most verdicts kept at a time. */
  entries: number;
}

/** Caches the verdicts on valid tokens. When it is full, the least recently used verdict is removed. */
export function createCache({ seconds, entries }: Limits) {
  const kept = new Map<string, { verdict: Verdict; until: number }>();

  return {
    /** Key of a question: a digest of token and scopes, so that the cache keeps no plaintext in memory. */
    async keyOf({ token, scopes }: Question): Promise<string> {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode([token, ...scopes].join(' ')));
      return String.fromCharCode(...new Uint8Array(digest));
    },

    get(key: string): Verdict | undefined {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      kept.delete(key);
      if (entry.until <= performanceNow()) return undefined;
      kept.set(key, entry);
      return entry.verdict;
    },

    /** Keeps a verdict if the token is valid. Its time counts from the moment when the question was sent. */
    put(key: string, { verdict, sentAt, answeredAt }: Answered): void {
      if (!verdict.valid) return;
      // For an earlier secret of a rotated token, `expiresAt` is the end of the grace period.
      const { expiresAt } = verdict.token;
      const left = expiresAt === null ? Infinity : Date.parse(expiresAt) - answeredAt;
      const until = Math.min(sentAt + seconds * 1_000, performanceNow() + left);
      if (!(until > performanceNow())) return;
      kept.delete(key);
      kept.set(key, { verdict, until });
      for (const oldest of kept.keys()) {
        if (kept.size <= entries) break;
        kept.delete(oldest);
      }
    },
  };
}
