import { useState } from 'preact/hooks';
import { announce } from '../../announce.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { TextField } from '../../parts/text-field.js';
import { lk } from '../../service.js';
import { DAY } from '../../times.js';
import * as texts from '../../words/webhooks.js';

/** Days for which deliveries are kept. */
const KEPT = 30;

interface ResendFailedProps {
  id: string;
  changed: () => void;
  onClose: () => void;
}

/** Sends again what a webhook did not take, for example after its server was down. */
export function ResendFailed({ id, changed, onClose }: ResendFailedProps) {
  const [since, setSince] = useState(() => dayIn(Date.now() - DAY));
  const start = Date.parse(`${since}T00:00:00`);
  return (
    <FormDialog
      title={texts.redeliverAll}
      submit={texts.redeliver}
      isReady={!Number.isNaN(start)}
      onClose={onClose}
      onSubmit={async () => {
        const body = { since: new Date(start).toISOString() };
        const { count } = await lk.redeliverWebhookDeliveries({ path: { webhook_id: id }, body });
        announce(texts.sentAgain(count));
        changed();
      }}
    >
      <p>{texts.redeliverAllWhy}</p>
      <TextField
        label={texts.since}
        type="date"
        class="short"
        required
        min={dayIn(Date.now() - KEPT * DAY)}
        max={dayIn(Date.now())}
        value={since}
        change={setSince}
      />
    </FormDialog>
  );
}

/** A day as date fields have it, in the browser's zone. */
function dayIn(instant: number): string {
  const date = new Date(instant);
  return new Date(instant - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
