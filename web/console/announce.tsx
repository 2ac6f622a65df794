import { createStore } from './store.js';

/** Milliseconds until a message is shown: a screen reader hears none behind a dialog, which may be closing. */
const PAUSE = 100;
/** Milliseconds until it is gone. */
const SHOWN = 6_000;

interface Message {
  text: string;
  id: number;
}
const message = createStore<Message | undefined>(undefined);
let last = 0;

/** Tells what happened, on the screen and to screen readers. */
export function announce(text: string): void {
  const id = ++last;
  const show = (value: Message | undefined): void => {
    if (id === last) message.set(value);
  };
  setTimeout(show, PAUSE, { text, id });
  setTimeout(show, SHOWN);
}

/** Takes the message away, which the next user must not see. */
export function hush(): void {
  last++;
  message.set(undefined);
}

/** Where messages appear. A dialog has its own, because everything else is silent while it is open. */
export function Announcements() {
  const current = message.use();
  return (
    <div class="announcements" role="status">
      {current && <p key={current.id}>{current.text}</p>}
    </div>
  );
}
