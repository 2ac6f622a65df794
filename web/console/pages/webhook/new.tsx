import { useRef, useState } from 'preact/hooks';
import type { WebhookWithSecret } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { focusFirstError } from '../../parts/field.js';
import { Page } from '../../parts/page.js';
import { Problem, withoutFields } from '../../parts/problem.js';
import { BASE, navigate } from '../../router.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';
import { bodyOf, draftOf, isComplete, WEBHOOK_FIELDS, WebhookFields } from './fields.js';
import { WebhookSecret } from './secret.js';

const texts = words.webhooks;

export function NewWebhookPage() {
  const [made, setMade] = useState<WebhookWithSecret | undefined>(undefined);
  const [draft, setDraft] = useState(() => draftOf());
  const [isChecked, setChecked] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const create = useAction(async () => {
    try {
      const created = await lk.createWebhook({ body: bodyOf(draft) });
      announce(texts.createdNow);
      setMade(created);
    } catch (error) {
      focusFirstError(form.current);
      throw error;
    }
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
      <form
        ref={form}
        class="stack form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setChecked(true);
          if (isComplete(draft)) create.run();
          else focusFirstError(form.current);
        }}
      >
        <WebhookFields draft={draft} change={setDraft} isChecked={isChecked} error={create.error} />
        <Problem error={withoutFields(create.error, WEBHOOK_FIELDS)} />
        <div class="actions">
          <a class="button" href={`${BASE}/webhooks`}>
            {words.cancel}
          </a>
          <button type="submit" class="button primary" disabled={create.isRunning}>
            {texts.submit}
          </button>
        </div>
      </form>
    </Page>
  );
}
