import { useRef, useState } from 'preact/hooks';
import type { AccessToken } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction, useLoad } from '../../load.js';
import { Dialog } from '../../parts/dialog.js';
import { Field, focusFirstError } from '../../parts/field.js';
import { messagesFor, Problem, withoutFields } from '../../parts/problem.js';
import { Time } from '../../parts/time.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import { words } from '../../words.js';
import { type Expiry, ExpiryField, expiryProblem, firstExpiry } from '../create/expiry.js';
import { isScope, ScopesField, wordsIn } from '../create/scopes.js';

const texts = words.create;
const FIELDS = ['name', 'description', 'expiresInDays', 'scopes'];

interface EditTokenProps {
  token: AccessToken;
  /** The version that is shown, so that an edit does not overwrite somebody else's. */
  condition: { ifMatch?: string };
  query: { owner?: number };
  onClose: () => void;
  changed: () => void;
}

export function EditToken({ token, condition: current, query, onClose, changed }: EditTokenProps) {
  // The version at which the edit began, although the page may read the token again meanwhile.
  const [condition] = useState(current);
  const { scopes: own } = useMe();
  const limits = useLoad((signal) => lk.getTokenLimits({ query, signal }), []);
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState(token.name);
  const [description, setDescription] = useState(token.description);
  const [chosen, setChosen] = useState<readonly string[]>(token.scopes.filter((scope) => own.includes(scope)));
  const [others, setOthers] = useState(token.scopes.filter((scope) => !own.includes(scope)).join(' '));
  const [expiry, setExpiry] = useState<Expiry | undefined>(undefined);
  const wrong = wordsIn(others).find((scope) => !isScope(scope));
  const isExpired = token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now();

  const save = useAction(async () => {
    const scopes = [...chosen, ...wordsIn(others)];
    const isSame = scopes.length === token.scopes.length && scopes.every((scope) => token.scopes.includes(scope));
    const body = {
      name,
      description,
      ...(!isSame && { scopes }),
      ...(expiry !== undefined && { expiresInDays: expiry.days }),
    };
    try {
      await lk.updateAccessToken({ path: { token_id: token.id }, query, body, ...condition });
    } catch (error) {
      focusFirstError(form.current);
      throw error;
    }
    announce(words.token.saved);
    onClose();
    changed();
  });
  const expiryError =
    expiry === undefined || limits.data === undefined ? undefined : expiryProblem(expiry, limits.data);
  return (
    <Dialog title={words.token.editTitle} onClose={onClose}>
      <form
        ref={form}
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() === '' || wrong !== undefined || expiryError !== undefined) focusFirstError(form.current);
          else save.run();
        }}
      >
        <Field label={texts.name} error={name.trim() === '' ? words.required : messagesFor(save.error, 'name')}>
          {(control) => (
            <input
              {...control}
              required
              maxLength={255}
              autocomplete="off"
              value={name}
              onInput={(event) => {
                setName(event.currentTarget.value);
              }}
            />
          )}
        </Field>
        <Field label={texts.description} error={messagesFor(save.error, 'description')} isOptional>
          {(control) => (
            <textarea
              {...control}
              rows={2}
              maxLength={1000}
              value={description}
              onInput={(event) => {
                setDescription(event.currentTarget.value);
              }}
            />
          )}
        </Field>
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
              error={messagesFor(save.error, 'expiresInDays')}
            />
          ))}
        <ScopesField
          own={own}
          chosen={chosen}
          choose={setChosen}
          others={others}
          setOthers={setOthers}
          query={query}
          error={wrong === undefined ? messagesFor(save.error, 'scopes') : texts.malformed(wrong)}
        />
        <Problem error={withoutFields(save.error, FIELDS) ?? limits.error} />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" class="button primary" disabled={save.isRunning}>
            {words.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
