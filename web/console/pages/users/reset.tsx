import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { ownerName } from '../../owner-name.js';
import { textOf } from '../../parts/form.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Option } from '../../parts/option.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import * as texts from '../../words/users.js';
import * as words from '../../words.js';

/** Sets another user's password. */
export function ResetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const name = ownerName(user);
  return (
    <FormDialog
      title={texts.resetTitle(name)}
      submit={texts.reset}
      onClose={onClose}
      onSubmit={async (fields) => {
        const body = {
          password: textOf(fields, 'password'),
          ...(fields.get('tokens') !== null && { revokeTokens: true }),
        };
        await lk.updateUser({ path: { user_id: user.id }, body });
        announce(texts.resetDone(name));
      }}
    >
      <p>{texts.resetWhy}</p>
      <TextField
        label={words.sessions.newPassword}
        hint={words.sessions.newPasswordHint}
        type="password"
        name="password"
        autocomplete="new-password"
        required
        minLength={8}
        maxLength={1024}
      />
      <Option text={texts.resetTokens} name="tokens" />
    </FormDialog>
  );
}
