/** A value as JSON can state it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** What an event changed: never a secret, a digest or a password. */
export interface EventChanges {
  /** The members that changed, as they were. */
  before?: Readonly<Record<string, Json>>;
  /** The members that changed or that a new thing has, as they are now. */
  after?: Readonly<Record<string, Json>>;
  /** How many things one change reached. */
  count?: number;
  /** The uuids of the newest `MOST_IDS` of these things. */
  ids?: readonly string[];
}

/** The most ids that one event lists. */
export const MOST_IDS = 1_000;

/** The members that differ, before and after; undefined if none does. */
export function differences(
  before: Readonly<Record<string, Json>>,
  after: Readonly<Record<string, Json>>,
): Required<Pick<EventChanges, 'before' | 'after'>> | undefined {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  if (names.length === 0) return undefined;
  const only = (members: Readonly<Record<string, Json>>) =>
    Object.fromEntries(names.map((name) => [name, members[name] ?? null]));
  return { before: only(before), after: only(after) };
}
