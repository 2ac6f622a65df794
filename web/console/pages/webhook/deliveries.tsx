import { useEffect } from 'preact/hooks';
import type { EventAction, WebhookDelivery } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction, useLoad } from '../../load.js';
import { Button } from '../../parts/button.js';
import { Chips } from '../../parts/chips.js';
import { useOpening } from '../../parts/opening.js';
import { Pager } from '../../parts/pager.js';
import { Problem } from '../../parts/problem.js';
import { Time } from '../../parts/time.js';
import { navigate, placeWith, usePlace } from '../../router.js';
import { lk } from '../../service.js';
import * as texts from '../../words/webhooks.js';
import * as words from '../../words.js';
import { DeliveryBadge } from './badge.js';
import { ResendFailed } from './resend.js';

const PAGE = 20;
const STATUSES = Object.keys(texts.statuses) as (keyof typeof texts.statuses)[];
/** Milliseconds after which the list is read again while a delivery of it waits. */
const PERIOD = 2_000;

/** What was sent to a webhook. The list is read again when `round` changes. */
export function Deliveries({ id, round }: { id: string; round: number }) {
  const place = usePlace();
  const status = STATUSES.find((each) => each === place.query.get('status'));
  const cursor = place.query.get('after') ?? '';
  const list = useLoad(
    (signal) =>
      lk.listWebhookDeliveries({
        path: { webhook_id: id },
        query: { limit: PAGE, ...(status !== undefined && { status }), ...(cursor !== '' && { cursor }) },
        signal,
      }),
    [id, status, cursor, round],
  );
  const { open, close, button } = useOpening<'ask'>();
  const { data, reload } = list;
  const isWaiting = data?.items.some((each) => each.status === 'pending') === true;
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, PERIOD);
    return () => {
      clearInterval(timer);
    };
  }, [isWaiting, reload]);
  return (
    <section class="list">
      <div class="card-head">
        <div>
          <h2>{texts.deliveries}</h2>
          <p class="quiet">{texts.deliveriesLead}</p>
        </div>
        {button('ask', texts.redeliverAll)}
      </div>
      <Chips
        label={texts.deliveriesBy}
        options={[[undefined, texts.all], ...STATUSES.map((each) => [each, texts.statuses[each]] as const)]}
        value={status}
        choose={(each) => {
          navigate(placeWith(place, { status: each ?? '', after: '' }));
        }}
      />
      <Problem error={list.error} retry={reload} />
      {data !== undefined && data.items.length === 0 && (
        <p class="quiet">
          {status === undefined
            ? `${texts.noDeliveries}. ${texts.noDeliveriesWhy}`
            : texts.noneWith(texts.statuses[status])}
        </p>
      )}
      {data !== undefined && data.items.length > 0 && <DeliveryList id={id} items={data.items} changed={reload} />}
      {data !== undefined && <Pager next={data.nextCursor} />}
      {open !== undefined && <ResendFailed id={id} changed={reload} onClose={close} />}
    </section>
  );
}

interface DeliveryListProps {
  id: string;
  items: readonly WebhookDelivery[];
  changed: () => void;
}

function DeliveryList({ id, items, changed }: DeliveryListProps) {
  const resend = useAction(async (delivery: WebhookDelivery) => {
    await lk.redeliverWebhookDelivery({ path: { webhook_id: id, delivery_id: delivery.id } });
    announce(texts.redelivered);
    changed();
  });
  return (
    <>
      <Problem error={resend.error} />
      <ul class="rows" aria-label={texts.deliveries}>
        {items.map((delivery) => (
          <li key={delivery.id}>
            <div>
              <p>
                {titleOf(delivery)} <DeliveryBadge status={delivery.status} />
              </p>
              <p class="quiet">
                <Time instant={delivery.createdAt} show="short" /> · <Outcome delivery={delivery} />
              </p>
            </div>
            <Button
              label={texts.redeliverOf(titleOf(delivery))}
              isDisabled={resend.isRunning}
              onClick={() => {
                resend.run(delivery);
              }}
            >
              {texts.redeliver}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

function titleOf({ eventType }: WebhookDelivery): string {
  return eventType in words.audit.actions ? words.audit.actions[eventType as EventAction] : texts.testEvent;
}

/** What the webhook answered last, and when the delivery is tried again. */
function Outcome({ delivery }: { delivery: WebhookDelivery }) {
  const { attempts, lastStatus, lastError, nextAttemptAt } = delivery;
  if (attempts === 0) return <>{texts.noAnswer}</>;
  const answer = [lastStatus, lastError === null ? null : texts.failures[lastError], texts.attempts(attempts)];
  return (
    <>
      {answer.filter((part) => part !== null).join(', ')}
      {nextAttemptAt !== null && (
        <>
          , {texts.next} <Time instant={nextAttemptAt} />
        </>
      )}
    </>
  );
}
