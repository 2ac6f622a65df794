import { useId } from 'preact/hooks';
import type { AccessToken, TokenCounts } from '../../../../client/index.js';
import { Chips } from '../../parts/chips.js';
import { Search } from '../../parts/search.js';
import { STATES } from '../../states.js';
import * as texts from '../../words/tokens.js';
import * as words from '../../words.js';
import type { View } from './view.js';

interface ToolbarProps {
  view: View;
  /** Undefined until the service has counted. */
  counts: TokenCounts | undefined;
  /** The tokens of the list, whose scopes are offered as filters. */
  items: readonly AccessToken[];
  change: (changes: Readonly<Record<string, string>>, replace?: boolean) => void;
}

/** Narrows and sorts the list. */
export function Toolbar({ view, counts, items, change }: ToolbarProps) {
  const id = useId();
  const scopes = [...new Set(items.flatMap((token) => token.scopes))];
  return (
    <>
      <Chips
        label={texts.states}
        options={STATES.map((state) => [state, words.states[state], counts?.[state].toLocaleString() ?? '·'])}
        value={view.state}
        choose={(state) => {
          change({ state: state === 'active' ? '' : state });
        }}
      />
      <div class="toolbar">
        <Search
          label={texts.search}
          hint={texts.searchHint}
          value={view.q}
          change={(q) => {
            change({ q }, true);
          }}
        />
        <label class="sort">
          {texts.scope}
          <input
            type="search"
            class="code"
            list={id}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={100}
            value={view.scope}
            onChange={(event) => {
              change({ scope: event.currentTarget.value.trim() });
            }}
          />
        </label>
        <datalist id={id}>
          {scopes.map((scope) => (
            <option key={scope} value={scope} />
          ))}
        </datalist>
        <button
          type="button"
          class="chip"
          aria-pressed={view.neverUsed}
          onClick={() => {
            change({ unused: view.neverUsed ? '' : '1' });
          }}
        >
          {texts.neverUsed}
        </button>
        <label class="sort">
          {texts.sort}
          <select
            value={view.sort}
            onChange={(event) => {
              change({ sort: event.currentTarget.value === '-createdAt' ? '' : event.currentTarget.value });
            }}
          >
            {Object.entries(texts.sorts).map(([sort, text]) => (
              <option key={sort} value={sort}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </div>
    </>
  );
}
