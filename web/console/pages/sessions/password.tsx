import { useRef } from 'preact/hooks';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Field, focusFirstError } from '../../parts/field.js';
import { textOf } from '../../parts/form.js';
import { messagesFor, Problem, withoutFields } from '../../parts/problem.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import { words } from '../../words.js';

const texts = words.sessions;

export function ChangePassword({ changed }: { changed: () => void }) {
  const { me } = useMe();
  const form = useRef<HTMLFormElement>(null);
  const change = useAction(async () => {
    const fields = new FormData(form.current ?? undefined);
    const body = { currentPassword: textOf(fields, 'current'), newPassword: textOf(fields, 'new') };
    try {
      await lk.changePassword({ body });
    } catch (error) {
      focusFirstError(form.current);
      throw error;
    }
    form.current?.reset();
    announce(texts.changedPassword);
    changed();
  });
  return (
    <section class="card">
      <h2>{texts.password}</h2>
      <p class="quiet">{texts.passwordWhy}</p>
      <form
        ref={form}
        class="stack form"
        onSubmit={(event) => {
          event.preventDefault();
          change.run();
        }}
      >
        <input
          class="unseen"
          type="text"
          autocomplete="username"
          value={me.user.email ?? ''}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <Field label={texts.currentPassword} error={messagesFor(change.error, 'currentPassword')}>
          {(control) => (
            <input
              {...control}
              type="password"
              name="current"
              autocomplete="current-password"
              required
              maxLength={1024}
            />
          )}
        </Field>
        <Field label={texts.newPassword} hint={texts.newPasswordHint} error={messagesFor(change.error, 'newPassword')}>
          {(control) => (
            <input
              {...control}
              type="password"
              name="new"
              autocomplete="new-password"
              required
              minLength={8}
              maxLength={1024}
            />
          )}
        </Field>
        <Problem error={withoutFields(change.error, ['currentPassword', 'newPassword'])} />
        <div class="actions">
          <button type="submit" class="button" disabled={change.isRunning}>
            {texts.changePassword}
          </button>
        </div>
      </form>
    </section>
  );
}
