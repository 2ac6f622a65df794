import type { AccessToken } from '../../../../client/index.js';
import { StateBadge } from '../../parts/badge.js';
import { Time } from '../../parts/time.js';
import { BASE } from '../../router.js';
import { stateOf } from '../../states.js';
import * as texts from '../../words/tokens.js';
import * as words from '../../words.js';
import type { View } from './view.js';

/** Scopes that a row shows. */
const SHOWN = 2;

interface TableProps {
  view: View;
  items: readonly AccessToken[];
  selected: ReadonlySet<string>;
  select: (selected: ReadonlySet<string>) => void;
}

export function TokenTable({ view, items, selected, select }: TableProps) {
  const canSelect = view.state !== 'revoked';
  const areAll = items.every(({ id }) => selected.has(id));
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    select(next);
  };
  const owner = view.owner === undefined ? '' : `?owner=${String(view.owner)}`;
  return (
    <table>
      <caption class="unseen">{texts.caption(words.states[view.state])}</caption>
      <thead>
        <tr>
          {canSelect && (
            <th class="check">
              <input
                type="checkbox"
                aria-label={texts.selectPage}
                checked={areAll}
                onChange={() => {
                  select(areAll ? new Set() : new Set(items.map(({ id }) => id)));
                }}
              />
            </th>
          )}
          <th scope="col" class="name">
            {texts.name}
          </th>
          <th scope="col" class="wide">
            {texts.scopes}
          </th>
          <th scope="col">{texts.expires}</th>
          <th scope="col" class="wide">
            {texts.lastUsed}
          </th>
          <th scope="col" class="wide">
            {texts.state}
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((token) => (
          <tr key={token.id} class={selected.has(token.id) ? 'selected' : undefined}>
            {canSelect && (
              <td class="check">
                <input
                  type="checkbox"
                  aria-label={texts.select(token.name)}
                  checked={selected.has(token.id)}
                  onChange={() => {
                    toggle(token.id);
                  }}
                />
              </td>
            )}
            <th scope="row">
              <a href={`${BASE}/tokens/${token.id}${owner}`}>
                <bdi>{token.name}</bdi>
              </a>
              <code class="quiet">{token.tokenPrefix}…</code>
            </th>
            <td class="wide">
              <ScopesOf token={token} />
            </td>
            <td>{token.expiresAt === null ? words.never : <Time instant={token.expiresAt} />}</td>
            <td class="wide">{token.lastUsedAt === null ? texts.neverUsed : <Time instant={token.lastUsedAt} />}</td>
            <td class="wide">
              <StateBadge state={stateOf(token)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ScopesOf({ token: { scopes } }: { token: AccessToken }) {
  if (scopes.length === 0) return <span class="quiet">{texts.noScopes}</span>;
  const rest = scopes.length - SHOWN;
  return (
    <span class="scopes" title={scopes.join(' ')}>
      {scopes.slice(0, SHOWN).map((scope) => (
        <code key={scope}>{scope}</code>
      ))}
      {rest > 0 && <span class="quiet">{texts.more(rest)}</span>}
    </span>
  );
}
