import { useEffect, useState } from 'preact/hooks';
import { isAnswered, useLoad } from '../load.js';
import { mayAdminister } from '../managed.js';
import { mayChange, ownerQuery, useOwner } from '../owner.js';
import { ownerName } from '../owner-name.js';
import { Button } from '../parts/button.js';
import { Empty } from '../parts/empty.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { Problem } from '../parts/problem.js';
import { BASE, navigate, placeWith, usePlace } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import { STATES } from '../states.js';
import * as texts from '../words/tokens.js';
import * as words from '../words.js';
import { Selection } from './tokens/selection.js';
import { TokenTable } from './tokens/table.js';
import { Toolbar } from './tokens/toolbar.js';
import { filtersOf, viewOf } from './tokens/view.js';

const PAGE = 50;

export function TokensPage() {
  const { scopes } = useMe();
  const place = usePlace();
  const view = viewOf(place);
  const { state, q, scope, neverUsed, sort, owner } = view;
  const cursor = place.query.get('after') ?? '';
  const filters = filtersOf(view);

  const list = useLoad(
    (signal) =>
      lk.listAccessTokens({
        query: { ...filters, state, sort, limit: PAGE, ...(cursor !== '' && { cursor }) },
        signal,
      }),
    [state, q, scope, neverUsed, sort, owner, cursor],
  );
  const counts = useLoad((signal) => lk.countAccessTokens({ query: filters, signal }), [q, scope, neverUsed, owner]);
  const user = useOwner(view);

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setSelected(new Set());
  }, [state, q, scope, neverUsed, owner, cursor]);
  const change = (changes: Readonly<Record<string, string>>, replace = false): void => {
    navigate(placeWith(place, { ...changes, after: '' }), { replace });
  };
  const reload = (): void => {
    setSelected(new Set());
    list.reload();
    counts.reload();
  };

  const isFiltered = q !== '' || scope !== '' || neverUsed;
  const total = counts.data && counts.data.active + counts.data.expired + counts.data.revoked + counts.data.disabled;
  const items = list.data?.items ?? [];
  const owned = user.data;
  // Nothing jumps: the owner decides the heading, and the counts what is in the place of an empty list.
  const isReady =
    (owned !== undefined || !user.isLoading) &&
    isAnswered(list) &&
    (items.length > 0 || list.error !== undefined || isAnswered(counts));
  return (
    <Page
      title={owned === undefined ? texts.title : texts.titleOf(ownerName(owned))}
      lead={owner === undefined ? <p>{texts.lead}</p> : undefined}
      {...(owner !== undefined && { back: backOf(owner, scopes) })}
      actions={
        mayChange(view, owned) && (
          <a class="button primary" href={`${BASE}/tokens/new${ownerQuery(view)}`}>
            {texts.create}
          </a>
        )
      }
    >
      <Problem error={list.error ?? counts.error ?? user.error} retry={reload} />
      {!isReady ? null : total === 0 && !isFiltered ? (
        <Empty title={texts.emptyTitle}>
          <p>{owner === undefined ? texts.empty : texts.emptyOther}</p>
          {owner === undefined && (
            <p>
              <a class="button primary" href={`${BASE}/tokens/new`}>
                {texts.create}
              </a>
            </p>
          )}
        </Empty>
      ) : (
        <>
          <Toolbar view={view} counts={counts.data} items={items} change={change} />
          {list.data !== undefined && items.length === 0 && (
            <Empty title={isFiltered ? texts.noMatchTitle : texts.noneTitle(words.states[state])}>
              {isFiltered && (
                <>
                  <p>{texts.noneMatch}</p>
                  <ul class="chips">
                    {STATES.filter((each) => each !== state && (counts.data?.[each] ?? 0) > 0).map((each) => (
                      <li key={each}>
                        <Button
                          onClick={() => {
                            change({ state: each });
                          }}
                        >
                          {texts.elsewhere(counts.data?.[each] ?? 0, words.states[each])}
                        </Button>
                      </li>
                    ))}
                    <li>
                      <Button
                        onClick={() => {
                          change({ q: '', scope: '', unused: '' });
                        }}
                      >
                        {texts.reset}
                      </Button>
                    </li>
                  </ul>
                </>
              )}
            </Empty>
          )}
          {items.length > 0 && (
            <div aria-busy={list.isLoading}>
              <Selection
                view={view}
                items={items}
                selected={selected}
                matching={counts.data?.[state] ?? items.length}
                clear={() => {
                  setSelected(new Set());
                }}
                done={reload}
              />
              <TokenTable view={view} items={items} selected={selected} select={setSelected} />
            </div>
          )}
          <Pager next={list.data?.nextCursor ?? null} />
        </>
      )}
    </Page>
  );
}

function backOf(owner: number, scopes: readonly string[]): { href: string; text: string } {
  if (mayAdminister(scopes)) return { href: `${BASE}/users/${String(owner)}`, text: words.users.details };
  return { href: `${BASE}/services`, text: words.owners.services };
}
