import { createStore } from './store.js';

/** Milliseconds for which a message is shown. */
const SHOWN = 6_000;

const message = createStore<{ text: string; id: number } | undefined>(undefined);
let last = 0;

/** Tells what happened, on the screen and to screen readers. */
export function announce(text: string): void {
  const id = ++last;
  message.set({ text, id });
  setTimeout(() => {
    if (message.get()?.id === id) message.set(undefined);
  }, SHOWN);
}

/** Takes the message away, which the next user must not see. */
export function hush(): void {
  message.set(undefined);
}

export function Announcements() {
  const current = message.use();
  return (
    <div class="announcements" role="status">
      {current && <p key={current.id}>{current.text}</p>}
    </div>
  );
}
