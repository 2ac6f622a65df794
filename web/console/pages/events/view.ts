import type { AuditEvent, EventAction, InputOf } from '../../../../client/index.js';
import type { Place } from '../../router.js';
import { DAY } from '../../times.js';
import * as words from '../../words.js';

/** What the address says about the list. */
export interface EventsView {
  action: EventAction | undefined;
  actor: number | undefined;
  owner: number | undefined;
  token: string;
  requestId: string;
  /** Days such as `2026-11-27`, in the browser's zone; empty for no bound. */
  from: string;
  to: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function eventsViewOf({ query }: Pick<Place, 'query'>): EventsView {
  const textOf = (name: string, form: RegExp): string => {
    const text = query.get(name) ?? '';
    return form.test(text) ? text : '';
  };
  const idOf = (name: string): number | undefined => {
    const id = Number(query.get(name) ?? '');
    return Number.isSafeInteger(id) && id > 0 ? id : undefined;
  };
  const action = query.get('action');
  return {
    action: action !== null && action in words.audit.actions ? (action as EventAction) : undefined,
    actor: idOf('actor'),
    owner: idOf('owner'),
    token: textOf('token', UUID),
    requestId: textOf('requestId', /^[\w.-]{1,128}$/),
    from: textOf('from', /^\d{4}-\d\d-\d\d$/),
    to: textOf('to', /^\d{4}-\d\d-\d\d$/),
  };
}

/** The filters of a view, as the service takes them: whole days, later than the last millisecond before the first. */
export function eventFiltersOf(view: EventsView): NonNullable<InputOf<'listAuditEvents'>['query']> {
  const { action, actor, owner, token, requestId, from, to } = view;
  const [start, end] = [startOf(from), startOf(to)];
  return {
    ...(action !== undefined && { action }),
    ...(actor !== undefined && { actor }),
    ...(owner !== undefined && { owner }),
    ...(token !== '' && { token }),
    ...(requestId !== '' && { requestId }),
    ...(start !== undefined && { after: new Date(start - 1).toISOString() }),
    ...(end !== undefined && { before: new Date(end + DAY).toISOString() }),
  };
}

function startOf(day: string): number | undefined {
  const start = Date.parse(`${day}T00:00:00`);
  return Number.isNaN(start) ? undefined : start;
}

/** Whether a new event belongs into the view, as the service decides for older ones. */
export function isInView(
  { action, actor, ownerId, target, requestId, createdAt }: AuditEvent,
  view: EventsView,
): boolean {
  const { after, before } = eventFiltersOf(view);
  return (
    (view.action === undefined || view.action === action) &&
    (view.actor === undefined || view.actor === actor.userId) &&
    (view.owner === undefined || view.owner === ownerId) &&
    (view.token === '' || view.token.toLowerCase() === target?.tokenId) &&
    (view.requestId === '' || view.requestId === requestId) &&
    (after === undefined || createdAt > after) &&
    (before === undefined || createdAt < before)
  );
}

export function isFiltered(view: EventsView): boolean {
  return Object.values(view).some((value) => value !== undefined && value !== '');
}
