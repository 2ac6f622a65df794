import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface ChoicesProps<Value> {
  legend: string;
  options: readonly (readonly [value: Value, text: string])[];
  value: Value;
  change: (value: Value) => void;
  describedBy?: string;
  children?: ComponentChildren;
}

/** A few choices side by side, of which one is taken. */
export function Choices<Value extends string | number | boolean>(props: ChoicesProps<Value>) {
  const { legend, options, value: chosen, change, describedBy, children } = props;
  const name = useId();
  return (
    <fieldset aria-describedby={describedBy}>
      <legend>{legend}</legend>
      <div class="choices">
        {options.map(([value, text]) => (
          <label key={value} class="choice">
            <input
              type="radio"
              name={name}
              value={String(value)}
              checked={value === chosen}
              onChange={() => {
                change(value);
              }}
            />
            {text}
          </label>
        ))}
      </div>
      {children}
    </fieldset>
  );
}
