import { useState } from 'preact/hooks';
import type { AccessToken, User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useLoad } from '../../load.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { Time } from '../../parts/time.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import * as texts from '../../words/create.js';
import * as words from '../../words.js';
import { DescriptionField } from '../create/description.js';
import { type Expiry, ExpiryField, expiryProblem, firstExpiry } from '../create/expiry.js';
import { isScope, ScopesField, scopesFor, wordsIn } from '../create/scopes.js';

const FIELDS = ['name', 'description', 'expiresInDays', 'scopes'];

interface EditTokenProps {
  token: AccessToken;
  /** The version that is shown, so that an edit does not overwrite somebody else's. */
  condition: { ifMatch?: string };
  query: { owner?: number };
  owner: User | undefined;
  onClose: () => void;
  changed: () => void;
}

export function EditToken({ token, condition: current, query, owner, onClose, changed }: EditTokenProps) {
  // The version at which the edit began, although the page may read the token again meanwhile.
  const [condition] = useState(current);
  const own = scopesFor(owner, useMe().scopes);
  const limits = useLoad((signal) => lk.getTokenLimits({ query, signal }), []);
  const [name, setName] = useState(token.name);
  const [description, setDescription] = useState(token.description);
  const [chosen, setChosen] = useState<readonly string[]>(token.scopes.filter((scope) => own.includes(scope)));
  const [others, setOthers] = useState(token.scopes.filter((scope) => !own.includes(scope)).join(' '));
  const [expiry, setExpiry] = useState<Expiry | undefined>(undefined);
  const wrong = wordsIn(others).find((scope) => !isScope(scope));
  const isExpired = token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now();

  const save = async (): Promise<void> => {
    const scopes = [...chosen, ...wordsIn(others)];
    const isSame = scopes.length === token.scopes.length && scopes.every((scope) => token.scopes.includes(scope));
    const body = {
      name,
      description,
      ...(!isSame && { scopes }),
      ...(expiry !== undefined && { expiresInDays: expiry.days }),
    };
    await lk.updateAccessToken({ path: { token_id: token.id }, query, body, ...condition });
    announce(words.token.saved);
    changed();
  };
  const expiryError =
    expiry === undefined || limits.data === undefined ? undefined : expiryProblem(expiry, limits.data);
  return (
    <FormDialog
      title={words.token.editTitle}
      submit={words.save}
      fields={FIELDS}
      check={() => name.trim() !== '' && wrong === undefined && expiryError === undefined}
      error={limits.error}
      onClose={onClose}
      onSubmit={save}
    >
      {(error) => (
        <>
          <TextField
            label={texts.name}
            error={name.trim() === '' ? words.required : messagesFor(error, 'name')}
            required
            maxLength={255}
            value={name}
            change={setName}
          />
          <DescriptionField value={description} change={setDescription} error={messagesFor(error, 'description')} />
          {limits.data &&
            !isExpired &&
            (expiry === undefined ? (
              <p>
                {token.expiresAt === null ? (
                  texts.never
                ) : (
                  <>
                    {words.token.expires} <Time instant={token.expiresAt} show="day" />
                  </>
                )}{' '}
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    if (limits.data) setExpiry(firstExpiry(limits.data));
                  }}
                >
                  {words.token.change}
                </button>
              </p>
            ) : (
              <ExpiryField
                limits={limits.data}
                value={expiry}
                change={setExpiry}
                error={messagesFor(error, 'expiresInDays')}
              />
            ))}
          <ScopesField
            own={own}
            chosen={chosen}
            choose={setChosen}
            others={others}
            setOthers={setOthers}
            query={query}
            owner={owner}
            error={wrong === undefined ? messagesFor(error, 'scopes') : texts.malformed(wrong)}
          />
        </>
      )}
    </FormDialog>
  );
}
