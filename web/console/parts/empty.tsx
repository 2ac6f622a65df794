import type { ComponentChildren } from 'preact';
import { Icon } from './icon.js';

/** In the place of an empty list: why it is empty, and what to do. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name="key" />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
