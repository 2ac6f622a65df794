import { useState } from 'preact/hooks';
import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import type { Named } from '../../owner-name.js';
import { Choices } from '../../parts/choices.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import * as texts from '../../words/owners.js';
import * as words from '../../words.js';
import { isScope, wordsIn } from '../create/scopes.js';
import { OwnerPicker } from './picker.js';

const LIMITS = [
  [false, texts.anyScopes],
  [true, texts.someScopes],
] as const;

interface ServiceFormProps {
  /** The service to edit; a new one without. */
  service?: User;
  /** The managers that it has. */
  managers?: readonly Named[];
  onClose: () => void;
  done: (service: User) => void;
}

/** Adds or edits a service. */
export function ServiceForm({ service, managers: before = [], onClose, done }: ServiceFormProps) {
  const [name, setName] = useState(service?.fullName ?? '');
  const [managers, setManagers] = useState(before);
  const [isLimited, setLimited] = useState(service !== undefined && service.scopes !== null);
  const [scopes, setScopes] = useState(service?.scopes?.join(' ') ?? '');
  const [isChecked, setChecked] = useState(false);
  const wrong = isLimited ? wordsIn(scopes).find((scope) => !isScope(scope)) : undefined;
  const missing = isChecked && name.trim() === '' ? words.required : undefined;
  const save = async (): Promise<User> => {
    const body = { managers: managers.map(({ id }) => id), scopes: isLimited ? wordsIn(scopes) : null };
    if (service === undefined) return await lk.createService({ body: { fullName: name, ...body } });
    const edited = await lk.updateService({ path: { service_id: service.id }, body });
    if (name === service.fullName) return edited;
    return await lk.updateUser({ path: { user_id: service.id }, body: { fullName: name } });
  };
  return (
    <FormDialog
      title={service === undefined ? texts.add.service : texts.editService}
      submit={service === undefined ? texts.add.service : words.save}
      fields={['fullName', 'scopes', 'managers']}
      check={() => {
        setChecked(true);
        return name.trim() !== '' && wrong === undefined;
      }}
      onClose={onClose}
      onSubmit={async () => {
        const saved = await save();
        announce(service === undefined ? texts.added(name) : texts.saved);
        done(saved);
      }}
    >
      {(error) => (
        <>
          <TextField
            label={texts.name}
            hint={texts.serviceHint}
            error={missing ?? messagesFor(error, 'fullName')}
            required
            maxLength={255}
            value={name}
            change={setName}
          />
          <OwnerPicker
            label={texts.managers}
            kind="person"
            chosen={managers}
            change={setManagers}
            error={messagesFor(error, 'managers')}
          />
          <Choices legend={texts.ceiling} options={LIMITS} value={isLimited} change={setLimited}>
            {isLimited && (
              <TextField
                label={texts.scopes}
                hint={texts.scopesHint}
                error={wrong === undefined ? messagesFor(error, 'scopes') : words.create.malformed(wrong)}
                class="code"
                autocapitalize="off"
                spellcheck={false}
                value={scopes}
                change={setScopes}
              />
            )}
            {service !== undefined && <p class="hint">{texts.ceilingHint}</p>}
          </Choices>
        </>
      )}
    </FormDialog>
  );
}
