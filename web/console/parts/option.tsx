import type { ComponentChildren, PartialInputHTMLAttributes } from 'preact';

interface OptionProps
  extends Pick<
    PartialInputHTMLAttributes<HTMLInputElement>,
    'name' | 'checked' | 'defaultChecked' | 'disabled' | 'aria-invalid'
  > {
  type?: 'checkbox' | 'radio';
  text: ComponentChildren;
  hint?: ComponentChildren;
  change?: (isChecked: boolean) => void;
}

/** A box to check, or with the type `radio` one of several. */
export function Option({ text, hint, change, ...input }: OptionProps) {
  return (
    <label class="option">
      <input
        type="checkbox"
        {...input}
        {...(change && {
          onChange: (event) => {
            change(event.currentTarget.checked);
          },
        })}
      />
      <span>
        {text}
        {hint !== undefined && <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}
