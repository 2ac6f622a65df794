import { useEffect } from 'preact/hooks';
import { announce } from '../announce.js';
import { useLoad } from '../load.js';
import { Empty } from '../parts/empty.js';
import { useOpening } from '../parts/opening.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { Problem } from '../parts/problem.js';
import { navigate, placeWith, usePlace } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import * as texts from '../words/audit.js';
import { ExportEvents } from './events/export.js';
import { EventFilters } from './events/filters.js';
import { useFollowing } from './events/follow.js';
import { EventList } from './events/list.js';
import { eventFiltersOf, eventsViewOf, isFiltered, isInView } from './events/view.js';

const PAGE = 50;

/** The audit log of the organization. */
export function EventsPage() {
  const { me } = useMe();
  const place = usePlace();
  const view = eventsViewOf(place);
  const filters = eventFiltersOf(view);
  const cursor = place.query.get('after') ?? '';
  // New events belong to the first page.
  const isLive = place.query.get('live') !== null && cursor === '';
  const list = useLoad(
    (signal) => lk.listAuditEvents({ query: { ...filters, limit: PAGE, ...(cursor !== '' && { cursor }) }, signal }),
    [JSON.stringify(filters), cursor],
  );
  const users = useLoad((signal) => lk.listUsers({ query: { limit: 200 }, signal }), []);
  const emails = new Map(users.data?.items.map(({ id, email }) => [id, email]));
  const emailOf = (userId: number): string => emails.get(userId) ?? texts.user(userId);
  const following = useFollowing(isLive, list.reload);
  const { open, close, button } = useOpening<'ask'>();

  const listed = list.data?.items ?? [];
  const known = new Set(listed.map(({ id }) => id));
  const arrived = following.arrived.filter((event) => isInView(event, view) && !known.has(event.id));
  useEffect(() => {
    const [newest] = following.arrived;
    if (newest !== undefined && isInView(newest, view)) announce(texts.arrived(texts.actions[newest.action]));
  }, [following.arrived]);
  const events = [...arrived, ...listed];
  const change = (changes: Readonly<Record<string, string>>): void => {
    navigate(placeWith(place, { ...changes, after: '' }));
  };
  const isEmpty = list.data !== undefined && events.length === 0;
  return (
    <Page
      title={texts.title}
      lead={<p>{texts.lead}</p>}
      actions={
        <>
          <button
            type="button"
            class="chip"
            aria-pressed={isLive}
            title={texts.followHint}
            onClick={() => {
              change({ live: isLive ? '' : '1' });
            }}
          >
            {texts.follow}
          </button>
          {button('ask', texts.export)}
        </>
      }
    >
      <EventFilters view={view} emailOf={emailOf} change={change} />
      <Problem error={list.error ?? following.error} retry={list.reload} />
      {isLive && following.error === undefined && <p class="quiet">{texts.following}</p>}
      {isEmpty && !isFiltered(view) && (
        <Empty title={texts.emptyTitle}>
          <p>{texts.empty}</p>
        </Empty>
      )}
      {isEmpty && isFiltered(view) && (
        <Empty title={texts.noneTitle}>
          <p>{list.data?.nextCursor === null ? texts.noneMatch : texts.noneHere}</p>
        </Empty>
      )}
      <div aria-busy={list.isLoading}>
        <EventList events={events} userId={me.user.id} emailOf={emailOf} />
      </div>
      {list.data !== undefined && <Pager next={list.data.nextCursor} />}
      {open !== undefined && <ExportEvents onClose={close} />}
    </Page>
  );
}
