import * as texts from '../../words/audit.js';
import { type EventsView, isFiltered } from './view.js';

const ACTIONS = Object.keys(texts.actions) as (keyof typeof texts.actions)[];

interface FiltersProps {
  view: EventsView;
  emailOf: (userId: number) => string;
  change: (changes: Readonly<Record<string, string>>) => void;
}

/** Narrows the list of events. Filters that a link sets can be removed here. */
export function EventFilters({ view, emailOf, change }: FiltersProps) {
  const set = {
    actor: view.actor === undefined ? '' : emailOf(view.actor),
    owner: view.owner === undefined ? '' : emailOf(view.owner),
    token: view.token,
  };
  const chips = (['actor', 'owner', 'token'] as const).filter((name) => set[name] !== '');
  return (
    <>
      <div class="filters">
        <label>
          {texts.action}
          <select
            value={view.action ?? ''}
            onChange={(event) => {
              change({ action: event.currentTarget.value });
            }}
          >
            <option value="">{texts.anyAction}</option>
            {Object.entries(texts.kinds).map(([kind, title]) => (
              <optgroup key={kind} label={title}>
                {ACTIONS.filter((action) => action.startsWith(`${kind}.`)).map((action) => (
                  <option key={action} value={action}>
                    {texts.actions[action]}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </label>
        <label>
          {texts.since}
          <input
            type="date"
            value={view.from}
            onChange={(event) => {
              change({ from: event.currentTarget.value });
            }}
          />
        </label>
        <label>
          {texts.until}
          <input
            type="date"
            value={view.to}
            onChange={(event) => {
              change({ to: event.currentTarget.value });
            }}
          />
        </label>
        <label>
          {texts.only.requestId}
          <input
            type="search"
            class="code"
            autocomplete="off"
            spellcheck={false}
            maxLength={128}
            value={view.requestId}
            onChange={(event) => {
              change({ requestId: event.currentTarget.value.trim() });
            }}
          />
        </label>
      </div>
      {isFiltered(view) && (
        <ul class="chips" aria-label={texts.filters}>
          {chips.map((name) => (
            <li key={name}>
              <button
                type="button"
                class="chip"
                aria-label={texts.remove(`${texts.only[name]} ${set[name]}`)}
                onClick={() => {
                  change({ [name]: '' });
                }}
              >
                {texts.only[name]} <bdi>{set[name]}</bdi> ×
              </button>
            </li>
          ))}
          <li>
            <button
              type="button"
              class="link"
              onClick={() => {
                change({ action: '', from: '', to: '', requestId: '', actor: '', owner: '', token: '' });
              }}
            >
              {texts.reset}
            </button>
          </li>
        </ul>
      )}
    </>
  );
}
