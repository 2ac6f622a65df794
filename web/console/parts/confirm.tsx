import type { ComponentChildren } from 'preact';
import { useAction } from '../load.js';
import { words } from '../words.js';
import { Dialog } from './dialog.js';
import { Problem } from './problem.js';

interface ConfirmProps {
  title: string;
  submit: string;
  /** Closes the dialog when it resolves. */
  onConfirm: () => Promise<void>;
  onClose: () => void;
  isDangerous?: boolean;
  isReady?: boolean;
  children: ComponentChildren;
}

/** Asks before something happens that cannot be undone. */
export function Confirm(props: ConfirmProps) {
  const { title, submit, onConfirm, onClose, isDangerous = true, isReady = true, children } = props;
  const action = useAction(async () => {
    await onConfirm();
    onClose();
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          action.run();
        }}
      >
        {children}
        <Problem error={action.error} />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button
            type="submit"
            class={`button ${isDangerous ? 'danger' : 'primary'}`}
            disabled={!isReady || action.isRunning}
          >
            {submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
