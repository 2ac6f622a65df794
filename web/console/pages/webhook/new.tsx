import { useState } from 'preact/hooks';
import type { WebhookWithSecret } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Form } from '../../parts/form.js';
import { Page } from '../../parts/page.js';
import { BASE, navigate } from '../../router.js';
import { lk } from '../../service.js';
import * as texts from '../../words/webhooks.js';
import * as words from '../../words.js';
import { bodyOf, draftOf, isComplete, WEBHOOK_FIELDS, WebhookFields } from './fields.js';
import { WebhookSecret } from './secret.js';

export function NewWebhookPage() {
  const [made, setMade] = useState<WebhookWithSecret | undefined>(undefined);
  const [draft, setDraft] = useState(() => draftOf());
  const [isChecked, setChecked] = useState(false);
  const create = useAction(async () => {
    const created = await lk.createWebhook({ body: bodyOf(draft) });
    announce(texts.createdNow);
    setMade(created);
  });
  if (made !== undefined) {
    return (
      <Page title={made.webhook.url}>
        <WebhookSecret
          secret={made.secret}
          done={() => {
            navigate(`/webhooks/${made.webhook.id}`, { replace: true });
          }}
        />
      </Page>
    );
  }
  return (
    <Page title={texts.createTitle} back={{ href: `${BASE}/webhooks`, text: texts.back }}>
      <Form
        action={create}
        submit={texts.submit}
        kind="primary"
        fields={WEBHOOK_FIELDS}
        check={() => {
          setChecked(true);
          return isComplete(draft);
        }}
        beside={
          <a class="button" href={`${BASE}/webhooks`}>
            {words.cancel}
          </a>
        }
      >
        <WebhookFields draft={draft} change={setDraft} isChecked={isChecked} error={create.error} />
      </Form>
    </Page>
  );
}
