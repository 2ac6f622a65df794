import { expect } from 'vitest';

// Vitest types its matchers as `any`, which would switch off type checks in the objects that contain them.

export const ANY_STRING: unknown = expect.any(String);
export const ANY_NUMBER: unknown = expect.any(Number);
export const SOME_MESSAGES: unknown = [ANY_STRING];
export const ANY_UUID = matching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);

export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

/** Copies `record` without these members. */
export function without<T extends object, Name extends keyof T>(record: T, ...names: Name[]): Omit<T, Name> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name as Name))) as Omit<T, Name>;
}
