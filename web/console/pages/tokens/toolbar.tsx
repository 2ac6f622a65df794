import type { TokenCounts } from '../../../../client/index.js';
import { Button } from '../../parts/button.js';
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
  change: (changes: Readonly<Record<string, string>>, replace?: boolean) => void;
}

/** Narrows and sorts the list. */
export function Toolbar({ view, counts, change }: ToolbarProps) {
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
        {view.scope !== '' && (
          <Button
            onClick={() => {
              change({ scope: '' });
            }}
          >
            {texts.scope}: <code>{view.scope}</code> ×
          </Button>
        )}
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
