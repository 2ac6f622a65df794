import { useRef } from 'preact/hooks';
import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { ownerName } from '../../owner-name.js';
import { Confirm } from '../../parts/confirm.js';
import { Field } from '../../parts/field.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';

const texts = words.users;

/** Sets another user's password. */
export function ResetPassword({ user, onClose }: { user: User; onClose: () => void }) {
  const password = useRef<HTMLInputElement>(null);
  const tokens = useRef<HTMLInputElement>(null);
  const name = ownerName(user);
  return (
    <Confirm
      title={texts.resetTitle(name)}
      submit={texts.reset}
      isDangerous={false}
      onClose={onClose}
      onConfirm={async () => {
        const body = {
          password: password.current?.value ?? '',
          ...(tokens.current?.checked && { revokeTokens: true }),
        };
        await lk.updateUser({ path: { user_id: user.id }, body });
        announce(texts.resetDone(name));
      }}
    >
      <p>{texts.resetWhy}</p>
      <Field label={words.sessions.newPassword} hint={words.sessions.newPasswordHint}>
        {(control) => (
          <input
            {...control}
            ref={password}
            type="password"
            autocomplete="new-password"
            required
            minLength={8}
            maxLength={1024}
          />
        )}
      </Field>
      <label class="option">
        <input ref={tokens} type="checkbox" />
        <span>{texts.resetTokens}</span>
      </label>
    </Confirm>
  );
}
