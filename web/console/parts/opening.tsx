import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from './button.js';

/** Which dialog of a page is open, and buttons that open one. */
export function useOpening<Name extends string>() {
  const [open, setOpen] = useState<Name | undefined>(undefined);
  return {
    open,
    close: () => {
      setOpen(undefined);
    },
    button: (name: Name, text: ComponentChildren, kind?: 'primary' | 'danger') => (
      <Button
        key={name}
        kind={kind}
        onClick={() => {
          setOpen(name);
        }}
      >
        {text}
      </Button>
    ),
  };
}
