import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import * as words from '../words.js';
import { Button } from './button.js';

interface RevealProps {
  why: string;
  done: () => void;
  children: ComponentChildren;
}

/** The frame of a secret that is shown once. Only its children have the secret, until they are left. */
export function Reveal({ why, done, children }: RevealProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  return (
    <section class="card reveal stack">
      <h2 ref={heading} tabIndex={-1}>
        {words.reveal.title}
      </h2>
      <p>{why}</p>
      {children}
      <div class="actions">
        <Button kind="primary" onClick={done}>
          {words.reveal.done}
        </Button>
      </div>
    </section>
  );
}
