import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Problem, withoutFields } from './problem.js';

/** The text of the field `name`; empty if there is none. */
export function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value : '';
}

interface Submission {
  run(fields: FormData, form: HTMLFormElement): void;
  isRunning: boolean;
  error: unknown;
}

export interface FormProps {
  action: Submission;
  submit: string;
  kind?: 'primary' | 'danger' | undefined;
  /** The fields that show their errors themselves. */
  fields?: readonly string[] | undefined;
  /** Whether what was typed may be sent; the fields show what is wrong. Without it, the browser checks. */
  check?: (() => boolean) | undefined;
  isReady?: boolean | undefined;
  /** What else went wrong, such as what the form needs and could not be loaded. */
  error?: unknown;
  /** Beside the button that submits. */
  beside?: ComponentChildren;
  isWide?: boolean | undefined;
  children: ComponentChildren;
}

/** Controls that are sent together, what went wrong, and the button. The focus goes to the first control with an error. */
export function Form(props: FormProps) {
  const { action, submit, kind, fields = [], check, isReady = true, error, beside, isWide = true, children } = props;
  const form = useRef<HTMLFormElement>(null);
  const focusError = (): void => {
    // The errors are on the screen then.
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus());
  };
  useEffect(() => {
    if (action.error !== undefined) focusError();
  }, [action.error]);
  return (
    <form
      ref={form}
      class={isWide ? 'stack form' : 'stack'}
      noValidate={check !== undefined}
      onSubmit={(event) => {
        event.preventDefault();
        if (check?.() === false) focusError();
        else action.run(new FormData(event.currentTarget), event.currentTarget);
      }}
    >
      {children}
      <Problem error={withoutFields(action.error, fields) ?? error} />
      <div class="actions">
        {beside}
        <button
          type="submit"
          class={kind === undefined ? 'button' : `button ${kind}`}
          disabled={!isReady || action.isRunning}
        >
          {submit}
        </button>
      </div>
    </form>
  );
}
