import { createHash } from 'node:crypto';
import type { LocatedToken } from './finder.js';
import { mask, maskTokens } from './pattern.js';
import type { FoundToken, Place } from './report/types.js';

/** Most places listed, so that a log that repeats a token a million times does not fill the memory. */
export const MAX_PLACES = 100_000;

export interface Findings {
  add(token: LocatedToken, place: Omit<Place, 'line' | 'column' | 'offset'>): void;
  /** Counts a place that is not listed. */
  addUnlisted(): void;
  readonly count: number;
  summary(): { tokens: FoundToken[]; allowed: number; unlistedPlaces: number };
}

/** Collects the tokens found. Tokens whose fingerprint is in `allowed` are only counted. */
export function createFindings(allowed: ReadonlySet<string>): Findings {
  const tokens = new Map<string, FoundToken & { places: Place[] }>();
  const allowedTokens = new Set<string>();
  let listed = 0;
  let unlistedPlaces = 0;

  function tokenOf({ plaintext, brand, kind }: LocatedToken): FoundToken & { places: Place[] } {
    const known = tokens.get(plaintext);
    if (known !== undefined) return known;
    const fingerprint = createHash('sha256').update(plaintext).digest('hex').slice(0, 16);
    const token = { kind, brand, masked: mask(plaintext), fingerprint, places: [], plaintext: () => plaintext };
    if (allowed.has(fingerprint)) allowedTokens.add(plaintext);
    else tokens.set(plaintext, token);
    return token;
  }

  return {
    add(located, place) {
      if (allowedTokens.has(located.plaintext)) return;
      const { places } = tokenOf(located);
      if (allowedTokens.has(located.plaintext)) return;
      if (listed === MAX_PLACES) {
        unlistedPlaces++;
        return;
      }
      listed++;
      const { line, column, offset } = located;
      // Names are printed, and a name can contain a token.
      places.push({
        ...place,
        file: maskTokens(place.file),
        members: place.members.map(maskTokens),
        line,
        column,
        offset,
      });
    },
    addUnlisted() {
      unlistedPlaces++;
    },
    get count() {
      return tokens.size;
    },
    summary() {
      return { tokens: [...tokens.values()], allowed: allowedTokens.size, unlistedPlaces };
    },
  };
}
