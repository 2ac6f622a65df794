import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Form, textOf } from '../../parts/form.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import * as texts from '../../words/sessions.js';

export function ChangePassword({ changed }: { changed: () => void }) {
  const { me } = useMe();
  const change = useAction(async (fields: FormData, form: HTMLFormElement) => {
    await lk.changePassword({
      body: { currentPassword: textOf(fields, 'current'), newPassword: textOf(fields, 'new') },
    });
    form.reset();
    announce(texts.changedPassword);
    changed();
  });
  return (
    <section class="card">
      <h2>{texts.password}</h2>
      <p class="quiet">{texts.passwordWhy}</p>
      <Form action={change} submit={texts.changePassword} fields={['currentPassword', 'newPassword']}>
        <input
          class="unseen"
          type="text"
          autocomplete="username"
          value={me.user.email ?? ''}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <TextField
          label={texts.currentPassword}
          error={messagesFor(change.error, 'currentPassword')}
          type="password"
          name="current"
          autocomplete="current-password"
          required
          maxLength={1024}
        />
        <TextField
          label={texts.newPassword}
          hint={texts.newPasswordHint}
          error={messagesFor(change.error, 'newPassword')}
          type="password"
          name="new"
          autocomplete="new-password"
          required
          minLength={8}
          maxLength={1024}
        />
      </Form>
    </section>
  );
}
