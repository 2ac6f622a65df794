import { useState } from 'preact/hooks';
import { LatchkeyError, type User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { Explained } from '../../explained.js';
import { ownerName } from '../../owner-name.js';
import { Button } from '../../parts/button.js';
import { textOf } from '../../parts/form.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import * as texts from '../../words/owners.js';
import * as words from '../../words.js';

/** The most pairs of metadata that the service takes. */
const MOST_PAIRS = 16;

interface ExternalFormProps {
  /** The owner to edit; a new one without. */
  owner?: User;
  onClose: () => void;
  done: (owner: User) => void;
}

/** Adds or edits an external owner. */
export function ExternalForm({ owner, onClose, done }: ExternalFormProps) {
  const [pairs, setPairs] = useState<readonly Pair[]>(() => Object.entries(owner?.metadata ?? {}));
  const save = async (fields: FormData): Promise<void> => {
    const external_id = owner?.externalId ?? textOf(fields, 'externalId');
    const path = { external_id };
    if (owner === undefined && (await exists(external_id))) throw new Explained(texts.taken(external_id));
    const filled = pairs.filter(([key, value]) => key !== '' || value !== '');
    const body = {
      fullName: textOf(fields, 'fullName'),
      email: textOf(fields, 'email') || null,
      metadata: Object.fromEntries(filled),
    };
    const saved = await lk.putExternalUser({ path, body });
    announce(owner === undefined ? texts.added(ownerName(saved)) : texts.saved);
    done(saved);
  };
  return (
    <FormDialog
      title={owner === undefined ? texts.add.external : texts.editExternal}
      submit={owner === undefined ? texts.add.external : words.save}
      fields={['external_id', 'fullName', 'email', 'metadata']}
      onClose={onClose}
      onSubmit={save}
    >
      {(error) => (
        <>
          {owner === undefined && (
            <TextField
              label={texts.externalId}
              hint={texts.externalIdHint}
              error={messagesFor(error, 'external_id')}
              class="code"
              name="externalId"
              autocapitalize="off"
              spellcheck={false}
              required
              maxLength={255}
            />
          )}
          <TextField
            label={texts.name}
            error={messagesFor(error, 'fullName')}
            isOptional
            name="fullName"
            maxLength={255}
            defaultValue={owner?.fullName ?? ''}
          />
          <TextField
            label={texts.email}
            hint={texts.emailHint}
            error={messagesFor(error, 'email')}
            isOptional
            type="email"
            name="email"
            maxLength={254}
            defaultValue={owner?.email ?? ''}
          />
          <Metadata pairs={pairs} change={setPairs} error={messagesFor(error, 'metadata')} />
        </>
      )}
    </FormDialog>
  );
}

async function exists(external_id: string): Promise<boolean> {
  try {
    await lk.getExternalUser({ path: { external_id } });
    return true;
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'not_found') return false;
    throw error;
  }
}

type Pair = readonly [key: string, value: string];

interface MetadataProps {
  pairs: readonly Pair[];
  change: (pairs: readonly Pair[]) => void;
  error: string | undefined;
}

/** Keys and values for the owner's own programs. */
function Metadata({ pairs, change, error }: MetadataProps) {
  const edit = (at: number, pair: Pair): void => {
    change(pairs.with(at, pair));
  };
  return (
    <fieldset>
      <legend>
        {texts.metadata} <span class="quiet">({words.optional})</span>
      </legend>
      {pairs.map(([key, value], at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what is typed into a pair changes all that identifies it
        <div key={at} class="pair">
          <input
            class="code"
            aria-label={texts.key(at + 1)}
            placeholder={texts.keyHint}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={64}
            pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
            required={value !== ''}
            value={key}
            onInput={(event) => {
              edit(at, [event.currentTarget.value, value]);
            }}
          />
          <input
            aria-label={texts.value(at + 1)}
            placeholder={texts.valueHint}
            autocomplete="off"
            maxLength={256}
            value={value}
            onInput={(event) => {
              edit(at, [key, event.currentTarget.value]);
            }}
          />
          <Button
            label={texts.removePair(at + 1)}
            onClick={() => {
              change(pairs.toSpliced(at, 1));
            }}
          >
            ×
          </Button>
        </div>
      ))}
      {error !== undefined && <p class="error">{error}</p>}
      {pairs.length < MOST_PAIRS && (
        <div>
          <Button
            onClick={() => {
              change([...pairs, ['', '']]);
            }}
          >
            {texts.addPair}
          </Button>
        </div>
      )}
    </fieldset>
  );
}
