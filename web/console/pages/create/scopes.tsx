import { useId } from 'preact/hooks';
import type { User } from '../../../../client/index.js';
import { useLoad } from '../../load.js';
import { Option } from '../../parts/option.js';
import { lk } from '../../service.js';
import * as texts from '../../words/create.js';
import * as words from '../../words.js';

export function wordsIn(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((word) => word !== ''))];
}

/** Whether a word has the form of a scope, as the contract defines it. */
export function isScope(word: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/.test(word);
}

/** Of the scopes of this service that a session has, those that it may give to a token of the owner. */
export function scopesFor(owner: User | undefined, own: readonly string[]): readonly string[] {
  if (owner === undefined || owner.kind === 'person') return own;
  const ofKind = owner.kind === 'external' ? /^tokens:(read|write)$/ : /^tokens:/;
  return own.filter((scope) => ofKind.test(scope) && (owner.scopes === null || owner.scopes.includes(scope)));
}

/** Scopes for the user's own tokens first, those of administrators last. */
function byWeight(scopes: readonly string[]): string[] {
  const weight = (scope: string): number => (/^tokens:(read|write|verify)$/.test(scope) ? 0 : 1);
  return scopes.toSorted((a, b) => weight(a) - weight(b));
}

interface ScopesFieldProps {
  /** This service's scopes that the session has, and so may give. */
  own: readonly string[];
  chosen: readonly string[];
  choose: (scopes: readonly string[]) => void;
  /** Scopes of the user's own API, as typed. */
  others: string;
  setOthers: (text: string) => void;
  query: { owner?: number };
  /** The owner of the token, unless that is the user. */
  owner: User | undefined;
  error: string | undefined;
}

/** What a token may do: the scopes of this service, and any words of the user's own API. */
export function ScopesField({ own, chosen, choose, others, setOthers, query, owner, error }: ScopesFieldProps) {
  const id = useId();
  const known = useLoad(
    (signal) => lk.listAccessTokens({ query: { ...query, tokenType: 'pat', limit: 100 }, signal }),
    [],
  );
  const used = new Set([...(owner?.scopes ?? []), ...(known.data?.items.flatMap(({ scopes }) => scopes) ?? [])]);
  const typed = wordsIn(others);
  const suggestions = [...used].filter((scope) => !(scope in words.scopes) && !typed.includes(scope)).slice(0, 12);
  return (
    <fieldset>
      <legend>{texts.scopes}</legend>
      <p class="hint">{texts.scopesHint}</p>
      <p class="group">{texts.own}</p>
      <div class="checks">
        {byWeight(own).map((scope) => (
          <Option
            key={scope}
            text={<code>{scope}</code>}
            hint={words.scopes[scope]}
            checked={chosen.includes(scope)}
            change={(isChecked) => {
              const rest = chosen.filter((each) => each !== scope);
              choose(isChecked ? [...rest, scope] : rest);
            }}
          />
        ))}
      </div>
      <div class="field">
        <label for={`${id}-others`}>
          {texts.other} <span class="quiet">({words.optional})</span>
        </label>
        <input
          id={`${id}-others`}
          class="code"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          aria-describedby={`${id}-hint`}
          aria-invalid={error === undefined ? undefined : 'true'}
          value={others}
          onInput={(event) => {
            setOthers(event.currentTarget.value);
          }}
        />
        <p id={`${id}-hint`} class={error === undefined ? 'hint' : 'error'}>
          {error ?? texts.otherHint}
        </p>
      </div>
      {suggestions.length > 0 && (
        <ul class="chips" aria-label={texts.usedBefore}>
          {suggestions.map((scope) => (
            <li key={scope}>
              <button
                type="button"
                class="chip"
                onClick={() => {
                  setOthers([...typed, scope].join(' '));
                }}
              >
                + {scope}
              </button>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  );
}
