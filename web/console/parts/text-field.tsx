import type { PartialInputHTMLAttributes } from 'preact';
import { Field, type FieldProps } from './field.js';

interface TextFieldProps
  extends Omit<FieldProps, 'children'>,
    Pick<
      PartialInputHTMLAttributes<HTMLInputElement>,
      | ('name' | 'value' | 'defaultValue' | 'placeholder' | 'class' | 'required' | 'min' | 'max' | 'minLength')
      | ('maxLength' | 'inputMode' | 'autocomplete' | 'autocapitalize' | 'spellcheck')
    > {
  type?: 'text' | 'password' | 'date' | 'email';
  /** Gets what is typed; without it, the form reads the field by its name. */
  change?: (text: string) => void;
}

/** A line of text with its label, hint and error. Browsers complete it only where `autocomplete` says so. */
export function TextField({ label, hint, error, isOptional, type = 'text', change, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} error={error} isOptional={isOptional}>
      {(control) => (
        <input
          autocomplete="off"
          {...control}
          {...input}
          // Preact has a type of its own for the attributes of each type.
          {...({ type } as object)}
          {...(change && {
            onInput: (event) => {
              change(event.currentTarget.value);
            },
          })}
        />
      )}
    </Field>
  );
}
