import type { CreatedUser } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { Button } from '../../parts/button.js';
import { Copyable } from '../../parts/copy.js';
import { Dialog } from '../../parts/dialog.js';
import { textOf } from '../../parts/form.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Option } from '../../parts/option.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import * as texts from '../../words/users.js';
import * as words from '../../words.js';

interface AddUserProps {
  onClose: () => void;
  onAdded: (created: CreatedUser) => void;
}

export function AddUser({ onClose, onAdded }: AddUserProps) {
  return (
    <FormDialog
      title={words.owners.add.person}
      submit={words.owners.add.person}
      fields={['email', 'fullName']}
      onClose={onClose}
      onSubmit={async (fields) => {
        const body = {
          email: textOf(fields, 'email'),
          fullName: textOf(fields, 'fullName'),
          isAdmin: fields.get('isAdmin') !== null,
        };
        onAdded(await lk.createUser({ body }));
        announce(texts.added(body.email));
      }}
    >
      {(error) => (
        <>
          <TextField
            label={texts.email}
            error={messagesFor(error, 'email')}
            type="email"
            name="email"
            required
            maxLength={254}
          />
          <TextField
            label={texts.name}
            error={messagesFor(error, 'fullName')}
            isOptional
            name="fullName"
            maxLength={255}
          />
          <Option text={texts.isAdmin} hint={texts.isAdminHint} name="isAdmin" />
        </>
      )}
    </FormDialog>
  );
}

/** Shows the password that the service generated, once. */
export function FirstPassword({ password, onClose }: { password: string; onClose: () => void }) {
  return (
    <Dialog title={texts.passwordTitle} onClose={onClose}>
      <div class="stack">
        <p>{texts.passwordWhy}</p>
        <Copyable label={texts.password} text={password} button={texts.copyPassword} copied={texts.copiedPassword} />
        <div class="actions">
          <Button kind="primary" onClick={onClose}>
            {words.reveal.done}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
