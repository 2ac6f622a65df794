import { useId } from 'preact/hooks';
import type { EventAction, NewWebhook, Webhook } from '../../../../client/index.js';
import { Field } from '../../parts/field.js';
import { messagesFor } from '../../parts/problem.js';
import { words } from '../../words.js';

const texts = words.webhooks;
const ACTIONS = Object.keys(words.audit.actions) as EventAction[];

/** The fields that have their errors beside them. */
export const WEBHOOK_FIELDS = ['url', 'description', 'eventTypes'];

/** What somebody has typed about a webhook. */
export interface WebhookDraft {
  url: string;
  description: string;
  isEverything: boolean;
  types: readonly EventAction[];
}

export function draftOf(webhook?: Webhook): WebhookDraft {
  return {
    url: webhook?.url ?? '',
    description: webhook?.description ?? '',
    isEverything: (webhook?.eventTypes ?? null) === null,
    types: webhook?.eventTypes ?? [],
  };
}

export function bodyOf({ url, description, isEverything, types }: WebhookDraft): NewWebhook {
  return { url: url.trim(), description, eventTypes: isEverything ? null : [...types] };
}

export function isComplete({ url, isEverything, types }: WebhookDraft): boolean {
  return url.trim() !== '' && (isEverything || types.length > 0);
}

interface WebhookFieldsProps {
  draft: WebhookDraft;
  change: (draft: WebhookDraft) => void;
  /** Whether to show what is missing. */
  isChecked: boolean;
  error: unknown;
}

export function WebhookFields({ draft, change, isChecked, error }: WebhookFieldsProps) {
  const isMissing = isChecked && draft.url.trim() === '';
  return (
    <>
      <Field label={texts.url} hint={texts.urlHint} error={isMissing ? words.required : messagesFor(error, 'url')}>
        {(control) => (
          <input
            {...control}
            class="code"
            inputMode="url"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            required
            maxLength={2048}
            placeholder="https://"
            value={draft.url}
            onInput={(event) => {
              change({ ...draft, url: event.currentTarget.value });
            }}
          />
        )}
      </Field>
      <Field label={texts.description} error={messagesFor(error, 'description')} isOptional>
        {(control) => (
          <input
            {...control}
            autocomplete="off"
            maxLength={255}
            value={draft.description}
            onInput={(event) => {
              change({ ...draft, description: event.currentTarget.value });
            }}
          />
        )}
      </Field>
      <TypesField draft={draft} change={change} isChecked={isChecked} />
    </>
  );
}

function TypesField({ draft, change, isChecked }: Omit<WebhookFieldsProps, 'error'>) {
  const id = useId();
  const isMissing = isChecked && !draft.isEverything && draft.types.length === 0;
  return (
    <fieldset aria-describedby={`${id}-hint`}>
      <legend>{texts.types}</legend>
      <div class="choices">
        {[true, false].map((isEverything) => (
          <label key={String(isEverything)} class="choice">
            <input
              type="radio"
              name={`${id}-all`}
              checked={draft.isEverything === isEverything}
              onChange={() => {
                change({ ...draft, isEverything });
              }}
            />
            {isEverything ? texts.allTypes : texts.chosenTypes}
          </label>
        ))}
      </div>
      <p id={`${id}-hint`} class={isMissing ? 'error' : 'hint'}>
        {isMissing ? texts.noType : texts.typesHint}
      </p>
      {!draft.isEverything && (
        <div class="checks types">
          {ACTIONS.map((action) => (
            <label key={action} class="option">
              <input
                type="checkbox"
                aria-invalid={isMissing ? 'true' : undefined}
                checked={draft.types.includes(action)}
                onChange={(event) => {
                  const rest = draft.types.filter((each) => each !== action);
                  change({ ...draft, types: event.currentTarget.checked ? [...rest, action] : rest });
                }}
              />
              <span>
                {words.audit.actions[action]}
                <code class="hint">{action}</code>
              </span>
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}
