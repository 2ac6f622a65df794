import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Form, textOf } from '../../parts/form.js';
import { Option } from '../../parts/option.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import * as texts from '../../words/users.js';
import * as words from '../../words.js';

/** The name and the rights of a person. */
export function EditPerson({ user, change }: { user: User; change: (user: User) => void }) {
  const save = useAction(async (fields: FormData) => {
    const body = { fullName: textOf(fields, 'fullName'), isAdmin: fields.get('isAdmin') !== null };
    change(await lk.updateUser({ path: { user_id: user.id }, body }));
    announce(texts.saved);
  });
  return (
    <section class="card">
      <h2>{texts.details}</h2>
      <Form action={save} submit={words.save} fields={['fullName']}>
        <TextField
          label={texts.name}
          error={messagesFor(save.error, 'fullName')}
          isOptional
          name="fullName"
          maxLength={255}
          defaultValue={user.fullName}
        />
        <Option text={texts.isAdmin} hint={texts.isAdminHint} name="isAdmin" defaultChecked={user.isAdmin} />
      </Form>
    </section>
  );
}
