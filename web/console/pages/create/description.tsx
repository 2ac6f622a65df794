import { Field } from '../../parts/field.js';
import * as texts from '../../words/create.js';

interface DescriptionFieldProps {
  value: string;
  change: (description: string) => void;
  error: string | undefined;
}

/** What a token is for, in some lines of text. */
export function DescriptionField({ value, change, error }: DescriptionFieldProps) {
  return (
    <Field label={texts.description} hint={texts.descriptionHint} error={error} isOptional>
      {(control) => (
        <textarea
          {...control}
          name="description"
          rows={2}
          maxLength={1000}
          value={value}
          onInput={(event) => {
            change(event.currentTarget.value);
          }}
        />
      )}
    </Field>
  );
}
