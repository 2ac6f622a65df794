import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.js';

/** Milliseconds without a key after which a search begins. */
const PAUSE = 250;

interface SearchProps {
  label: string;
  hint: string;
  value: string;
  change: (value: string) => void;
}

/** A field that searches while one types. */
export function Search({ label, hint, value, change }: SearchProps) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typed = useRef(value);
  // Before the browser paints, so that it takes nothing away that is typed afterwards.
  useLayoutEffect(() => {
    // Back and forward change the address, and what one types does so later.
    if (value !== typed.current) {
      clearTimeout(timer.current);
      typed.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );
  return (
    <div class="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder={hint}
        maxLength={255}
        value={text}
        onKeyDown={(event) => {
          // In a form, it would submit.
          if (event.key === 'Enter') event.preventDefault();
        }}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => {
            typed.current = next;
            change(next);
          }, PAUSE);
        }}
      />
    </div>
  );
}
