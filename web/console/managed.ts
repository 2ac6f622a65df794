import { useEffect } from 'preact/hooks';
import type { User } from '../../client/index.js';
import { useLoad } from './load.js';
import { lk } from './service.js';
import { createStore } from './store.js';

// The services that the user manages. Administrators act for all services, and find them among the users.

const managed = createStore<readonly User[] | undefined>(undefined);
const NONE: readonly User[] = [];
export const useManaged = (): readonly User[] => managed.use() ?? NONE;
export const useAreManagedKnown = (): boolean => managed.use() !== undefined;

export const mayAdminister = (scopes: readonly string[]): boolean => scopes.includes('users:admin');

/** Looks up what `useManaged` returns, once for each user who logs in. */
export function useLookUpManaged(scopes: readonly string[]): void {
  const found = useLoad((signal) => (mayAdminister(scopes) ? Promise.resolve([]) : allManaged(signal)), []);
  useEffect(() => {
    managed.set(found.error === undefined ? found.data : NONE);
  }, [found.data, found.error]);
}

async function allManaged(signal: AbortSignal): Promise<User[]> {
  const all: User[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await lk.listServices({ query: { limit: 200, ...(cursor !== '' && { cursor }) }, signal });
    all.push(...page.items);
    cursor = page.nextCursor;
  }
  return all;
}
