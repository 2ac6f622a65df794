import { performanceNow } from '../timers.js';
import type { Question } from './questions.js';
import type { Answered } from './service.js';
import type { Verdict } from './verdict.js';

interface Limits {
  /** Seconds after which a verdict is asked for anew. */
  seconds: number;
  /** Verdicts at a time. */
  entries: number;
}

/** Verdicts of tokens that may pass, by a digest of the token and the scopes; the least lately used go first. */
export function createCache({ seconds, entries }: Limits) {
  const kept = new Map<string, { verdict: Verdict; until: number }>();

  return {
    /** What a question is kept under: no plaintext stays in memory on account of this. */
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

    /** Keeps a verdict that lets the token pass, counted from when the question was sent. */
    put(key: string, { verdict, sentAt, answeredAt }: Answered): void {
      if (!verdict.valid) return;
      // The end of the secret that was asked about, which may be an earlier one of a rotated token.
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
