import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { UserKind } from '../../../../client/index.js';
import { useLoad } from '../../load.js';
import { mayAdminister, useManaged } from '../../managed.js';
import { type Named, ownerName } from '../../owner-name.js';
import { Problem } from '../../parts/problem.js';
import { Search } from '../../parts/search.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import * as texts from '../../words/owners.js';

/** Owners that are offered at once. */
const SHOWN = 6;
/** Requests for one search: each examines a part of the users, which may have no match. */
const MOST_REQUESTS = 10;

interface PickerProps {
  label: string;
  /** Only users of this kind. */
  kind?: UserKind;
  chosen: readonly Named[];
  change: (chosen: readonly Named[]) => void;
  /** Whether a choice replaces the one before. */
  isSingle?: boolean;
  /** The id of somebody who cannot be chosen. */
  except?: number;
  error?: string | undefined;
}

/** Chooses users, whom a search by name, e-mail or id in another system finds. */
export function OwnerPicker({ label, kind, chosen, change, isSingle = false, except, error }: PickerProps) {
  const { me, scopes } = useMe();
  const managed = useManaged();
  const [q, setQ] = useState('');
  const mine = [me.user, ...managed].filter((each) => ownerName(each).toLowerCase().includes(q.toLowerCase()));
  const found = useLoad<readonly Named[]>(
    (signal) => (mayAdminister(scopes) ? findOwners(q, kind, signal) : Promise.resolve(mine)),
    [q, managed],
  );
  const field = useRef<HTMLFieldSetElement>(null);
  const before = useRef(chosen);
  useLayoutEffect(() => {
    // The button that had the focus is gone.
    const { current: all } = field;
    if (before.current !== chosen) (all?.querySelector('input') ?? all?.querySelector('button'))?.focus();
    before.current = chosen;
  }, [chosen]);
  const offered = found.data
    ?.filter(({ id }) => id !== except && !chosen.some((each) => each.id === id))
    .slice(0, SHOWN);
  return (
    <fieldset ref={field}>
      <legend>{label}</legend>
      {chosen.length > 0 && (
        <ul class="chips" aria-label={texts.chosen}>
          {chosen.map((owner) => (
            <li key={owner.id}>
              <button
                type="button"
                class="chip chosen"
                aria-label={texts.remove(ownerName(owner))}
                onClick={() => {
                  change(chosen.filter(({ id }) => id !== owner.id));
                }}
              >
                <bdi>{ownerName(owner)}</bdi> ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {!(isSingle && chosen.length > 0) && (
        <>
          <Search label={texts.search} hint={texts.searchHint} value={q} change={setQ} />
          <Problem error={found.error} retry={found.reload} />
          {error !== undefined && <p class="error">{error}</p>}
          <ul class="chips offered" aria-label={texts.found} aria-busy={found.isLoading}>
            {offered?.map((owner) => (
              <li key={owner.id}>
                <button
                  type="button"
                  class="chip"
                  onClick={() => {
                    change(isSingle ? [owner] : [...chosen, owner]);
                    setQ('');
                  }}
                >
                  + <bdi>{ownerName(owner)}</bdi>
                </button>
              </li>
            ))}
            {offered?.length === 0 && <li class="hint">{texts.none}</li>}
          </ul>
        </>
      )}
    </fieldset>
  );
}

async function findOwners(q: string, kind: UserKind | undefined, signal: AbortSignal): Promise<Named[]> {
  const found: Named[] = [];
  let cursor: string | null = '';
  for (let asked = 0; asked < MOST_REQUESTS && cursor !== null && found.length < SHOWN; asked++) {
    const query = { limit: 50, ...(kind && { kind }), ...(q !== '' && { q }), ...(cursor !== '' && { cursor }) };
    const page = await lk.listUsers({ query, signal });
    found.push(...page.items.filter(({ disabled }) => !disabled));
    cursor = page.nextCursor;
  }
  return found;
}
