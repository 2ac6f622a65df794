import type { Webhook } from '../../../../client/index.js';
import { Time } from '../../parts/time.js';
import { words } from '../../words.js';

const texts = words.webhooks;

/** All that a webhook has. */
export function WebhookDetails({ webhook }: { webhook: Webhook }) {
  const { description, eventTypes, lastSuccessAt, lastFailureAt, createdAt, previousSecretValidUntil } = webhook;
  return (
    <section class="card">
      <h2 class="unseen">{texts.details}</h2>
      <dl class="details">
        {description !== '' && (
          <>
            <dt>{texts.description}</dt>
            <dd class="text">
              <bdi>{description}</bdi>
            </dd>
          </>
        )}
        <dt>{texts.types}</dt>
        <dd class="scopes">
          {eventTypes === null ? texts.allTypes : eventTypes.map((type) => <code key={type}>{type}</code>)}
        </dd>
        <dt>{texts.lastSuccess}</dt>
        <dd>{lastSuccessAt === null ? words.never : <Time instant={lastSuccessAt} />}</dd>
        <dt>{texts.lastFailure}</dt>
        <dd>{lastFailureAt === null ? words.never : <Time instant={lastFailureAt} />}</dd>
        {previousSecretValidUntil !== null && (
          <>
            <dt>{texts.formerSecret}</dt>
            <dd>
              {texts.formerUntil} <Time instant={previousSecretValidUntil} show="short" />
            </dd>
          </>
        )}
        <dt>{texts.created}</dt>
        <dd>
          <Time instant={createdAt} show="short" />
        </dd>
      </dl>
    </section>
  );
}
