import { useState } from 'preact/hooks';
import type { PolicyApplied } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Choices } from '../../parts/choices.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { useOpening } from '../../parts/opening.js';
import { messagesFor, Problem, withoutFields } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import * as texts from '../../words/policy.js';
import { Preview } from './preview.js';

const ACTIONS = Object.entries(texts.actions) as [keyof typeof texts.actions, string][];
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
  const { open, close, button } = useOpening<'ask'>();
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
    <TextField
      label={label}
      hint={hint}
      error={days[name] === undefined ? texts.range : messagesFor(check.error, name)}
      class="short"
      inputMode="numeric"
      maxLength={3}
      value={text}
      change={edit(set)}
    />
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
          <Choices legend={texts.action} options={ACTIONS} value={action} change={edit(setAction)} />
          {field(texts.inDays, 'inDays', inDays, setInDays)}
          {field(texts.spreadDays, 'spreadDays', spreadDays, setSpreadDays, texts.spreadHint)}
          <Problem error={withoutFields(check.error, FIELDS)} />
          <div class="actions">
            <button type="submit" class="button" disabled={check.isRunning || !isValid}>
              {check.isRunning ? texts.checking : texts.check}
            </button>
            {preview !== undefined && preview.changed > 0 && button('ask', texts.submit(preview.changed), 'danger')}
          </div>
          <div aria-live="polite">{preview !== undefined && <Preview preview={preview} />}</div>
        </form>
      )}
      {open !== undefined && preview !== undefined && (
        <FormDialog
          isDangerous
          title={texts.confirmTitle(preview.changed)}
          submit={texts.submit(preview.changed)}
          onSubmit={apply}
          onClose={close}
        >
          <p>{texts.confirm[action]}</p>
        </FormDialog>
      )}
    </section>
  );
}

function daysIn(text: string): number | undefined {
  const days = /^\d{1,3}$/.test(text.trim()) ? Number(text) : undefined;
  return days !== undefined && days <= MOST_DAYS ? days : undefined;
}
