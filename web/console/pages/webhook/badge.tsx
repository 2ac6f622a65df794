import type { Webhook, WebhookDelivery } from '../../../../client/index.js';
import * as texts from '../../words/webhooks.js';

/** Whether a webhook gets events, and whether it took the last one. */
export function WebhookBadge({ webhook: { enabled, lastFailureAt, lastSuccessAt } }: { webhook: Webhook }) {
  if (!enabled) return <span class="badge disabled">{texts.disabled}</span>;
  const isFailing = lastFailureAt !== null && (lastSuccessAt === null || lastFailureAt > lastSuccessAt);
  return isFailing ? (
    <span class="badge expiring">{texts.failing}</span>
  ) : (
    <span class="badge active">{texts.enabled}</span>
  );
}

/** A delivery's status, in the colours of tokens' states. */
const COLOURS = { pending: 'expiring', delivered: 'active', failed: 'revoked' } as const;

export function DeliveryBadge({ status }: Pick<WebhookDelivery, 'status'>) {
  return <span class={`badge ${COLOURS[status]}`}>{texts.statuses[status]}</span>;
}
