import { useRef, useState } from 'preact/hooks';
import type { Webhook } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Dialog } from '../../parts/dialog.js';
import { focusFirstError } from '../../parts/field.js';
import { Problem, withoutFields } from '../../parts/problem.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';
import { bodyOf, draftOf, isComplete, WEBHOOK_FIELDS, WebhookFields } from './fields.js';

const texts = words.webhooks;

interface EditWebhookProps {
  webhook: Webhook;
  onClose: () => void;
  changed: (webhook: Webhook) => void;
}

export function EditWebhook({ webhook, onClose, changed }: EditWebhookProps) {
  const [draft, setDraft] = useState(() => draftOf(webhook));
  const form = useRef<HTMLFormElement>(null);
  const save = useAction(async () => {
    try {
      changed(await lk.updateWebhook({ path: { webhook_id: webhook.id }, body: bodyOf(draft) }));
    } catch (error) {
      focusFirstError(form.current);
      throw error;
    }
    announce(texts.saved);
    onClose();
  });
  return (
    <Dialog title={texts.editTitle} onClose={onClose}>
      <form
        ref={form}
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (isComplete(draft)) save.run();
          else focusFirstError(form.current);
        }}
      >
        <WebhookFields draft={draft} change={setDraft} isChecked error={save.error} />
        <Problem error={withoutFields(save.error, WEBHOOK_FIELDS)} />
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
