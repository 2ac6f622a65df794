import { useState } from 'preact/hooks';
import type { Webhook } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { lk } from '../../service.js';
import * as texts from '../../words/webhooks.js';
import * as words from '../../words.js';
import { bodyOf, draftOf, isComplete, WEBHOOK_FIELDS, WebhookFields } from './fields.js';

interface EditWebhookProps {
  webhook: Webhook;
  onClose: () => void;
  changed: (webhook: Webhook) => void;
}

export function EditWebhook({ webhook, onClose, changed }: EditWebhookProps) {
  const [draft, setDraft] = useState(() => draftOf(webhook));
  return (
    <FormDialog
      title={texts.editTitle}
      submit={words.save}
      fields={WEBHOOK_FIELDS}
      check={() => isComplete(draft)}
      onClose={onClose}
      onSubmit={async () => {
        changed(await lk.updateWebhook({ path: { webhook_id: webhook.id }, body: bodyOf(draft) }));
        announce(texts.saved);
      }}
    >
      {(error) => <WebhookFields draft={draft} change={setDraft} isChecked error={error} />}
    </FormDialog>
  );
}
