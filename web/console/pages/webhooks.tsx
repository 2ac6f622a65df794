import type { Webhook } from '../../../client/index.js';
import { useLoad } from '../load.js';
import { Empty } from '../parts/empty.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { Problem } from '../parts/problem.js';
import { Time } from '../parts/time.js';
import { BASE, usePlace } from '../router.js';
import { lk } from '../service.js';
import * as texts from '../words/webhooks.js';
import * as words from '../words.js';
import { WebhookBadge } from './webhook/badge.js';

const PAGE = 50;

/** The webhooks of the organization. */
export function WebhooksPage() {
  const cursor = usePlace().query.get('after') ?? '';
  const list = useLoad(
    (signal) => lk.listWebhooks({ query: { limit: PAGE, ...(cursor !== '' && { cursor }) }, signal }),
    [cursor],
  );
  const create = (
    <a class="button primary" href={`${BASE}/webhooks/new`}>
      {texts.create}
    </a>
  );
  return (
    <Page title={texts.title} lead={<p>{texts.lead}</p>} actions={create}>
      <Problem error={list.error} retry={list.reload} />
      {list.data !== undefined && list.data.items.length === 0 && cursor === '' && (
        <Empty title={texts.emptyTitle}>
          <p>{texts.empty}</p>
          <p>{create}</p>
        </Empty>
      )}
      {list.data !== undefined && list.data.items.length > 0 && <WebhookTable webhooks={list.data.items} />}
      {list.data !== undefined && <Pager next={list.data.nextCursor} />}
    </Page>
  );
}

function WebhookTable({ webhooks }: { webhooks: readonly Webhook[] }) {
  return (
    <table>
      <caption class="unseen">{texts.caption}</caption>
      <thead>
        <tr>
          <th scope="col">{texts.url}</th>
          <th scope="col" class="wide">
            {texts.types}
          </th>
          <th scope="col" class="wide">
            {texts.lastSuccess}
          </th>
          <th scope="col">{texts.state}</th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map((webhook) => (
          <tr key={webhook.id}>
            <th scope="row">
              <a href={`${BASE}/webhooks/${webhook.id}`}>
                <bdi>{webhook.url}</bdi>
              </a>
              {webhook.description !== '' && <bdi class="under quiet">{webhook.description}</bdi>}
            </th>
            <td class="wide">
              {webhook.eventTypes === null ? texts.allTypes : texts.someTypes(webhook.eventTypes.length)}
            </td>
            <td class="wide">
              {webhook.lastSuccessAt === null ? words.never : <Time instant={webhook.lastSuccessAt} />}
            </td>
            <td>
              <WebhookBadge webhook={webhook} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
