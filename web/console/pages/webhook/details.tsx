import type { Webhook } from '../../../../client/index.js';
import { Codes, Details } from '../../parts/details.js';
import { Time } from '../../parts/time.js';
import * as texts from '../../words/webhooks.js';
import * as words from '../../words.js';

/** All that a webhook has. */
export function WebhookDetails({ webhook }: { webhook: Webhook }) {
  const { description, eventTypes, lastSuccessAt, lastFailureAt, createdAt, previousSecretValidUntil } = webhook;
  return (
    <section class="card">
      <h2 class="unseen">{texts.details}</h2>
      <Details
        rows={[
          [texts.description, description && <bdi class="text">{description}</bdi>],
          [texts.types, eventTypes === null ? texts.allTypes : <Codes of={eventTypes} />],
          [texts.lastSuccess, lastSuccessAt === null ? words.never : <Time instant={lastSuccessAt} />],
          [texts.lastFailure, lastFailureAt === null ? words.never : <Time instant={lastFailureAt} />],
          [
            texts.formerSecret,
            previousSecretValidUntil && (
              <>
                {texts.formerUntil} <Time instant={previousSecretValidUntil} show="short" />
              </>
            ),
          ],
          [texts.created, <Time key="created" instant={createdAt} show="short" />],
        ]}
      />
    </section>
  );
}
