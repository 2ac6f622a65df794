import type { AuditEvent } from '../../../../client/index.js';
import { Time } from '../../parts/time.js';
import { BASE } from '../../router.js';
import * as texts from '../../words/audit.js';
import * as words from '../../words.js';
import { actorOf } from './actor.js';
import { EventDetails } from './details.js';

interface EventListProps {
  events: readonly AuditEvent[];
  /** The user who looks at the list. */
  userId: number;
  emailOf: (userId: number) => string;
}

/** Events, each with what it says in one line, and everything else on demand. */
export function EventList({ events, userId, emailOf }: EventListProps) {
  return (
    <ol class="events" aria-label={texts.caption}>
      {events.map((event) => (
        <li key={event.id}>
          <p>
            <strong>{texts.actions[event.action]}</strong> <Target event={event} userId={userId} emailOf={emailOf} />
          </p>
          <p class="quiet">
            {[
              event.actor.kind === 'anonymous' ? [] : words.token.by(actorOf(event.actor)),
              event.address === null ? [] : words.token.from(event.address),
            ]
              .flat()
              .join(' ')}{' '}
            · <Time instant={event.createdAt} show="short" />
          </p>
          <EventDetails event={event} />
        </li>
      ))}
    </ol>
  );
}

/** What was changed, with a link to its page if it has one. */
function Target({ event, userId, emailOf }: { event: AuditEvent } & Omit<EventListProps, 'events'>) {
  const { target, ownerId, changes, action } = event;
  if (target === null) return null;
  // A session is known by its user.
  const label = action.startsWith('session.') && ownerId !== null ? emailOf(ownerId) : target.label;
  if (target.kind === 'tokens' || label === null) {
    return changes.count === undefined ? null : <span>{words.tokens.count(changes.count)}</span>;
  }
  const href = addressOf(event, userId);
  const name = <bdi>{label}</bdi>;
  return href === undefined ? name : <a href={BASE + href}>{name}</a>;
}

function addressOf({ action, target, ownerId }: AuditEvent, userId: number): string | undefined {
  const { kind, tokenId, webhookId } = target ?? {};
  if (kind === 'token' && action.startsWith('token.')) {
    return `/tokens/${tokenId ?? ''}${ownerId === null || ownerId === userId ? '' : `?owner=${String(ownerId)}`}`;
  }
  if (kind === 'webhook') return action === 'webhook.deleted' ? undefined : `/webhooks/${webhookId ?? ''}`;
  return ownerId === null ? undefined : `/users/${String(ownerId)}`;
}
