import { useState } from 'preact/hooks';
import type { WebhookWithSecret } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { Confirm } from '../../parts/confirm.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';

const texts = words.webhooks;
/** Seconds; time enough to change the receiver. */
const USUAL_GRACE = 86_400;

interface RotateWebhookProps {
  id: string;
  onClose: () => void;
  onRotated: (made: WebhookWithSecret) => void;
}

export function RotateWebhook({ id, onClose, onRotated }: RotateWebhookProps) {
  const [grace, setGrace] = useState(USUAL_GRACE);
  return (
    <Confirm
      title={texts.rotate}
      submit={texts.rotate}
      isDangerous={false}
      onClose={onClose}
      onConfirm={async () => {
        onRotated(await lk.rotateWebhookSecret({ path: { webhook_id: id }, body: { gracePeriodSeconds: grace } }));
        announce(texts.rotated);
      }}
    >
      <p>{texts.rotateWhy}</p>
      <fieldset>
        <legend>{texts.grace}</legend>
        <div class="choices">
          {Object.entries(texts.graces).map(([seconds, text]) => (
            <label key={seconds} class="choice">
              <input
                type="radio"
                name="grace"
                value={seconds}
                checked={grace === Number(seconds)}
                onChange={() => {
                  setGrace(Number(seconds));
                }}
              />
              {text}
            </label>
          ))}
        </div>
      </fieldset>
    </Confirm>
  );
}
