import type { ComponentChildren } from 'preact';

interface ChipsProps<Value> {
  label: string;
  options: readonly (readonly [value: Value, text: string, count?: ComponentChildren])[];
  value: Value;
  choose: (value: Value) => void;
}

/** Narrows a list to one of several kinds. */
export function Chips<Value extends string | undefined>({ label, options, value: chosen, choose }: ChipsProps<Value>) {
  return (
    <ul class="chips" aria-label={label}>
      {options.map(([value, text, count]) => (
        <li key={value ?? ''}>
          <button
            type="button"
            class="chip"
            aria-pressed={value === chosen}
            onClick={() => {
              choose(value);
            }}
          >
            {text}
            {count !== undefined && <span class="count">{count}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
