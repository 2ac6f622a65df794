import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import * as words from '../words.js';

interface PageProps {
  title: string;
  lead?: ComponentChildren;
  /** A link back to the list that the page belongs to. */
  back?: { href: string; text: string };
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A page of the console with its heading, which gets the focus when the page appears. */
export function Page({ title, lead, back, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Both before the browser paints: a page in a background tab paints late, and later the focus may be elsewhere.
  useLayoutEffect(() => {
    document.title = words.title(title);
  }, [title]);
  useLayoutEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <header class="page-head">
        <div>
          {back && (
            <p class="back">
              <a href={back.href}>{back.text}</a>
            </p>
          )}
          <h1 ref={heading} tabIndex={-1}>
            <bdi>{title}</bdi>
          </h1>
          {lead !== undefined && <div class="lead">{lead}</div>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}
