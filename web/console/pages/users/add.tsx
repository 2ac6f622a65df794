import { useRef, useState } from 'preact/hooks';
import type { CreatedUser } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Copyable } from '../../parts/copy.js';
import { Dialog } from '../../parts/dialog.js';
import { Field, focusFirstError } from '../../parts/field.js';
import { textOf } from '../../parts/form.js';
import { messagesFor, Problem, withoutFields } from '../../parts/problem.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';

const texts = words.users;

/** Adds a user, and shows the password that the service generated, once. */
export function AddUser({ onClose }: { onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [created, setCreated] = useState<CreatedUser | undefined>(undefined);
  const add = useAction(async () => {
    const fields = new FormData(form.current ?? undefined);
    const body = {
      email: textOf(fields, 'email'),
      fullName: textOf(fields, 'fullName'),
      isAdmin: fields.get('isAdmin') !== null,
    };
    try {
      setCreated(await lk.createUser({ body }));
      announce(texts.added(body.email));
    } catch (error) {
      focusFirstError(form.current);
      throw error;
    }
  });
  if (created?.password != null) {
    return (
      <Dialog title={texts.passwordTitle} onClose={onClose}>
        <div class="stack">
          <p>{texts.passwordWhy}</p>
          <Copyable
            label={texts.password}
            text={created.password}
            button={texts.copyPassword}
            copied={texts.copiedPassword}
          />
          <div class="actions">
            <button type="button" class="button primary" onClick={onClose}>
              {words.reveal.done}
            </button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={texts.addTitle} onClose={onClose}>
      <form
        ref={form}
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          add.run();
        }}
      >
        <Field label={texts.email} error={messagesFor(add.error, 'email')}>
          {(control) => <input {...control} type="email" name="email" autocomplete="off" required maxLength={254} />}
        </Field>
        <Field label={texts.name} error={messagesFor(add.error, 'fullName')} isOptional>
          {(control) => <input {...control} name="fullName" autocomplete="off" maxLength={255} />}
        </Field>
        <label class="option">
          <input type="checkbox" name="isAdmin" />
          <span>
            {texts.isAdmin}
            <span class="hint">{texts.isAdminHint}</span>
          </span>
        </label>
        <Problem error={withoutFields(add.error, ['email', 'fullName'])} />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" class="button primary" disabled={add.isRunning}>
            {texts.add}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
