import type { ComponentChildren } from 'preact';

interface ButtonProps {
  onClick: () => void;
  kind?: 'primary' | 'danger' | undefined;
  /** Where the text alone does not say what the button is about. */
  label?: string | undefined;
  isDisabled?: boolean;
  children: ComponentChildren;
}

export function Button({ onClick, kind, label, isDisabled = false, children }: ButtonProps) {
  return (
    <button
      type="button"
      class={kind === undefined ? 'button' : `button ${kind}`}
      aria-label={label}
      disabled={isDisabled}
      onClick={() => {
        onClick();
      }}
    >
      {children}
    </button>
  );
}
