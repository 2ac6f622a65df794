import type { ComponentChildren } from 'preact';
import { useAction } from '../load.js';
import * as words from '../words.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { Form, type FormProps } from './form.js';

interface FormDialogProps extends Pick<FormProps, 'submit' | 'fields' | 'check' | 'isReady' | 'error'> {
  title: string;
  /** Closes the dialog when it resolves. */
  onSubmit: (fields: FormData) => Promise<void>;
  onClose: () => void;
  /** Whether something is asked that cannot be undone. */
  isDangerous?: boolean;
  /** A function gets what went wrong, to show it beside its fields. */
  children: ComponentChildren | ((error: unknown) => ComponentChildren);
}

/** A form, or a question, over the page. */
export function FormDialog({ title, onSubmit, onClose, isDangerous = false, children, ...form }: FormDialogProps) {
  const action = useAction(async (fields: FormData) => {
    await onSubmit(fields);
    onClose();
  });
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        {...form}
        action={action}
        kind={isDangerous ? 'danger' : 'primary'}
        beside={<Button onClick={onClose}>{words.cancel}</Button>}
        isWide={false}
      >
        {typeof children === 'function' ? children(action.error) : children}
      </Form>
    </Dialog>
  );
}
