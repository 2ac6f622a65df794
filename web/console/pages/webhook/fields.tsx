import { useId } from 'preact/hooks';
import type { EventAction, NewWebhook, Webhook } from '../../../../client/index.js';
import { Choices } from '../../parts/choices.js';
import { Option } from '../../parts/option.js';
import { messagesFor } from '../../parts/problem.js';
import { TextField } from '../../parts/text-field.js';
import * as texts from '../../words/webhooks.js';
import * as words from '../../words.js';

const ACTIONS = Object.keys(words.audit.actions) as EventAction[];
const ALL_OR_SOME = [
  [true, texts.allTypes],
  [false, texts.chosenTypes],
] as const;

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
      <TextField
        label={texts.url}
        hint={texts.urlHint}
        error={isMissing ? words.required : messagesFor(error, 'url')}
        class="code"
        inputMode="url"
        autocapitalize="off"
        spellcheck={false}
        required
        maxLength={2048}
        placeholder="https://"
        value={draft.url}
        change={(url) => {
          change({ ...draft, url });
        }}
      />
      <TextField
        label={texts.description}
        error={messagesFor(error, 'description')}
        isOptional
        maxLength={255}
        value={draft.description}
        change={(description) => {
          change({ ...draft, description });
        }}
      />
      <TypesField draft={draft} change={change} isChecked={isChecked} />
    </>
  );
}

function TypesField({ draft, change, isChecked }: Omit<WebhookFieldsProps, 'error'>) {
  const id = useId();
  const isMissing = isChecked && !draft.isEverything && draft.types.length === 0;
  return (
    <Choices
      legend={texts.types}
      describedBy={`${id}-hint`}
      options={ALL_OR_SOME}
      value={draft.isEverything}
      change={(isEverything) => {
        change({ ...draft, isEverything });
      }}
    >
      <p id={`${id}-hint`} class={isMissing ? 'error' : 'hint'}>
        {isMissing ? texts.noType : texts.typesHint}
      </p>
      {!draft.isEverything && (
        <div class="checks types">
          {ACTIONS.map((action) => (
            <Option
              key={action}
              text={words.audit.actions[action]}
              hint={<code>{action}</code>}
              aria-invalid={isMissing ? 'true' : undefined}
              checked={draft.types.includes(action)}
              change={(isChecked) => {
                const rest = draft.types.filter((each) => each !== action);
                change({ ...draft, types: isChecked ? [...rest, action] : rest });
              }}
            />
          ))}
        </div>
      )}
    </Choices>
  );
}
