import { useState } from 'preact/hooks';
import type { Webhook } from '../../../client/index.js';
import { announce } from '../announce.js';
import { useAction, useLoad } from '../load.js';
import { Button } from '../parts/button.js';
import { FormDialog } from '../parts/form-dialog.js';
import { useOpening } from '../parts/opening.js';
import { Page } from '../parts/page.js';
import { Problem } from '../parts/problem.js';
import type { PageProps } from '../route.js';
import { BASE, navigate } from '../router.js';
import { lk } from '../service.js';
import * as texts from '../words/webhooks.js';
import { WebhookBadge } from './webhook/badge.js';
import { Deliveries } from './webhook/deliveries.js';
import { WebhookDetails } from './webhook/details.js';
import { EditWebhook } from './webhook/edit.js';
import { RotateWebhook } from './webhook/rotate.js';
import { WebhookSecret } from './webhook/secret.js';

const BACK = { href: `${BASE}/webhooks`, text: texts.back };

export function WebhookPage({ id = '' }: PageProps) {
  const webhook = useLoad((signal) => lk.getWebhook({ path: { webhook_id: id }, signal }), [id]);
  if (webhook.data === undefined) {
    return (
      <Page title={texts.title} back={BACK}>
        <Problem error={webhook.error} retry={webhook.reload} />
      </Page>
    );
  }
  return <OneWebhook webhook={webhook.data} error={webhook.error} changed={webhook.replace} />;
}

interface OneWebhookProps {
  webhook: Webhook;
  error: unknown;
  changed: (webhook: Webhook) => void;
}

function OneWebhook({ webhook, error, changed }: OneWebhookProps) {
  const { id, enabled, disabledReason } = webhook;
  const path = { webhook_id: id };
  const { open, close, button } = useOpening<'edit' | 'rotate' | 'delete'>();
  const [secret, setSecret] = useState<string | undefined>(undefined);
  const [round, setRound] = useState(0);
  const toggle = useAction(async () => {
    changed(await lk.updateWebhook({ path, body: { enabled: !enabled } }));
    announce(enabled ? texts.disabledNow : texts.enabledNow);
  });
  const test = useAction(async () => {
    await lk.testWebhook({ path });
    announce(texts.tested);
    setRound((last) => last + 1);
  });
  return (
    <Page
      title={webhook.url}
      back={BACK}
      lead={<WebhookBadge webhook={webhook} />}
      actions={
        <>
          {enabled && (
            <Button kind="primary" isDisabled={test.isRunning} onClick={test.run}>
              {texts.test}
            </Button>
          )}
          {button('edit', texts.edit)}
          <Button isDisabled={toggle.isRunning} onClick={toggle.run}>
            {enabled ? texts.disable : texts.enable}
          </Button>
          {button('rotate', texts.rotate)}
          {button('delete', texts.delete, 'danger')}
        </>
      }
    >
      <Problem error={error ?? toggle.error ?? test.error} />
      {secret !== undefined && (
        <WebhookSecret
          secret={secret}
          done={() => {
            setSecret(undefined);
          }}
        />
      )}
      {disabledReason !== null && (
        <p class="notice warn">
          {texts.disabledReasons[disabledReason]} {texts.disabledWhat}
        </p>
      )}
      <WebhookDetails webhook={webhook} />
      <Deliveries id={id} round={round} />
      {open === 'edit' && <EditWebhook webhook={webhook} onClose={close} changed={changed} />}
      {open === 'rotate' && (
        <RotateWebhook
          id={id}
          onClose={close}
          onRotated={(made) => {
            setSecret(made.secret);
            changed(made.webhook);
          }}
        />
      )}
      {open === 'delete' && (
        <FormDialog
          isDangerous
          title={texts.deleteTitle}
          submit={texts.delete}
          onClose={close}
          onSubmit={async () => {
            await lk.deleteWebhook({ path });
            announce(texts.deleted);
            navigate('/webhooks', { replace: true });
          }}
        >
          <p>{texts.deleteWhy}</p>
        </FormDialog>
      )}
    </Page>
  );
}
