import { useState } from 'preact/hooks';
import type { WebhookWithSecret } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { GraceField, USUAL_GRACE } from '../../parts/grace.js';
import { lk } from '../../service.js';
import * as texts from '../../words/webhooks.js';

interface RotateWebhookProps {
  id: string;
  onClose: () => void;
  onRotated: (made: WebhookWithSecret) => void;
}

export function RotateWebhook({ id, onClose, onRotated }: RotateWebhookProps) {
  const [grace, setGrace] = useState(USUAL_GRACE);
  return (
    <FormDialog
      title={texts.rotate}
      submit={texts.rotate}
      onClose={onClose}
      onSubmit={async () => {
        onRotated(await lk.rotateWebhookSecret({ path: { webhook_id: id }, body: { gracePeriodSeconds: grace } }));
        announce(texts.rotated);
      }}
    >
      <p>{texts.rotateWhy}</p>
      <GraceField legend={texts.grace} value={grace} change={setGrace} />
    </FormDialog>
  );
}
