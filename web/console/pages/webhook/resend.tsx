import { useState } from 'preact/hooks';
import { announce } from '../../announce.js';
import { Confirm } from '../../parts/confirm.js';
import { Field } from '../../parts/field.js';
import { lk } from '../../service.js';
import { DAY } from '../../times.js';
import { words } from '../../words.js';

const texts = words.webhooks;
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
    <Confirm
      title={texts.redeliverAll}
      submit={texts.redeliver}
      isDangerous={false}
      isReady={!Number.isNaN(start)}
      onClose={onClose}
      onConfirm={async () => {
        const body = { since: new Date(start).toISOString() };
        const { count } = await lk.redeliverWebhookDeliveries({ path: { webhook_id: id }, body });
        announce(texts.sentAgain(count));
        changed();
      }}
    >
      <p>{texts.redeliverAllWhy}</p>
      <Field label={texts.since}>
        {(control) => (
          <input
            {...control}
            type="date"
            class="short"
            required
            min={dayIn(Date.now() - KEPT * DAY)}
            max={dayIn(Date.now())}
            value={since}
            onInput={(event) => {
              setSince(event.currentTarget.value);
            }}
          />
        )}
      </Field>
    </Confirm>
  );
}

/** A day as date fields have it, in the browser's zone. */
function dayIn(instant: number): string {
  const date = new Date(instant);
  return new Date(instant - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
