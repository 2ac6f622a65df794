import { useState } from 'preact/hooks';
import type { PolicyApplied } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Confirm } from '../../parts/confirm.js';
import { Field } from '../../parts/field.js';
import { messagesFor, Problem, withoutFields } from '../../parts/problem.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';
import { Preview } from './preview.js';

const texts = words.policy;
const ACTIONS = Object.keys(texts.actions) as (keyof typeof texts.actions)[];
const MOST_DAYS = 365;
const FIELDS = ['inDays', 'spreadDays'];

interface ApplyPolicyProps {
  /** Tokens that break the policy, and that applying it changes. */
  breaking: number;
  changed: () => void;
}

/** Shows what applying the policy would change, and only then offers to do exactly that. */
export function ApplyPolicy({ breaking, changed }: ApplyPolicyProps) {
  const [action, setAction] = useState<PolicyApplied['action']>('expire');
  const [inDays, setInDays] = useState('30');
  const [spreadDays, setSpreadDays] = useState('7');
  const [preview, setPreview] = useState<PolicyApplied | undefined>(undefined);
  const [isAsking, setAsking] = useState(false);
  const days = { inDays: daysIn(inDays), spreadDays: daysIn(spreadDays) };
  const body = { action, inDays: days.inDays ?? 0, spreadDays: days.spreadDays ?? 0 };
  const isValid = days.inDays !== undefined && days.spreadDays !== undefined;

  const check = useAction(async () => {
    setPreview(await lk.applyPolicy({ body: { ...body, dryRun: true } }));
  });
  const apply = async (): Promise<void> => {
    let count = 0;
    for (let isDone = false; !isDone; ) {
      const { changed: some, complete } = await lk.applyPolicy({ body });
      count += some;
      isDone = complete;
    }
    announce(texts.applied(count));
    setPreview(undefined);
    changed();
  };
  /** A preview of other values would be wrong. */
  const edit =
    <Value,>(set: (value: Value) => void) =>
    (value: Value): void => {
      set(value);
      setPreview(undefined);
      check.clear();
    };
  const field = (
    label: string,
    name: 'inDays' | 'spreadDays',
    text: string,
    set: (text: string) => void,
    hint?: string,
  ) => (
    <Field label={label} hint={hint} error={days[name] === undefined ? texts.range : messagesFor(check.error, name)}>
      {(control) => (
        <input
          {...control}
          class="short"
          inputMode="numeric"
          autocomplete="off"
          maxLength={3}
          value={text}
          onInput={(event) => {
            edit(set)(event.currentTarget.value);
          }}
        />
      )}
    </Field>
  );
  return (
    <section class="card">
      <h2>{texts.apply}</h2>
      {breaking === 0 ? (
        <p>{texts.nothing}</p>
      ) : (
        <form
          class="stack form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (isValid) check.run();
          }}
        >
          <p>{texts.applyWhy}</p>
          <fieldset>
            <legend>{texts.action}</legend>
            <div class="choices">
              {ACTIONS.map((each) => (
                <label key={each} class="choice">
                  <input
                    type="radio"
                    name="action"
                    checked={action === each}
                    onChange={() => {
                      edit(setAction)(each);
                    }}
                  />
                  {texts.actions[each]}
                </label>
              ))}
            </div>
          </fieldset>
          {field(texts.inDays, 'inDays', inDays, setInDays)}
          {field(texts.spreadDays, 'spreadDays', spreadDays, setSpreadDays, texts.spreadHint)}
          <Problem error={withoutFields(check.error, FIELDS)} />
          <div class="actions">
            <button type="submit" class="button" disabled={check.isRunning || !isValid}>
              {check.isRunning ? texts.checking : texts.check}
            </button>
            {preview !== undefined && preview.changed > 0 && (
              <button
                type="button"
                class="button danger"
                onClick={() => {
                  setAsking(true);
                }}
              >
                {texts.submit(preview.changed)}
              </button>
            )}
          </div>
          <div aria-live="polite">{preview !== undefined && <Preview preview={preview} />}</div>
        </form>
      )}
      {isAsking && preview !== undefined && (
        <Confirm
          title={texts.confirmTitle(preview.changed)}
          submit={texts.submit(preview.changed)}
          onConfirm={apply}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>{texts.confirm[action]}</p>
        </Confirm>
      )}
    </section>
  );
}

function daysIn(text: string): number | undefined {
  const days = /^\d{1,3}$/.test(text.trim()) ? Number(text) : undefined;
  return days !== undefined && days <= MOST_DAYS ? days : undefined;
}
