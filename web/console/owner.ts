import type { User } from '../../client/index.js';
import { type Loaded, useLoad } from './load.js';
import { mayAdminister, useAreManagedKnown, useManaged } from './managed.js';
import { lk } from './service.js';
import { useMe } from './session.js';

/** The owner in an address, for whom the user acts; empty for the user's own tokens. */
export function ownerIn(query: URLSearchParams): { owner?: number } {
  const owner = Number(query.get('owner') ?? '');
  return Number.isSafeInteger(owner) && owner > 0 ? { owner } : {};
}

/** The query of an address for the same owner. */
export function ownerQuery({ owner }: { owner?: number | undefined }): string {
  return owner === undefined ? '' : `?owner=${String(owner)}`;
}

/** The user who owns the tokens, if they are not the user's own. */
export function useOwner({ owner }: { owner?: number | undefined }): Loaded<User | undefined> {
  const { scopes } = useMe();
  const managed = useManaged();
  const isKnown = useAreManagedKnown();
  const isAsked = owner !== undefined && mayAdminister(scopes);
  const asked = useLoad<User | undefined>(
    (signal) => (isAsked ? lk.getUser({ path: { user_id: owner }, signal }) : Promise.resolve(undefined)),
    [owner],
  );
  if (isAsked) return asked;
  const isLoading = owner !== undefined && !isKnown;
  return { ...asked, isLoading, data: managed.find(({ id }) => id === owner) };
}

/** Whether the user may create, edit and rotate here: their own tokens, and those of owners who are no people. */
export function mayChange(query: { owner?: number | undefined }, owner: User | undefined): boolean {
  return query.owner === undefined || (owner !== undefined && owner.kind !== 'person');
}
