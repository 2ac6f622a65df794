import { useEffect, useState } from 'preact/hooks';
import type { AuditEvent, EventActor } from '../../../../client/index.js';
import { useAction, useLoad } from '../../load.js';
import { Button } from '../../parts/button.js';
import { Problem } from '../../parts/problem.js';
import { Time } from '../../parts/time.js';
import { lk } from '../../service.js';
import * as texts from '../../words/token.js';
import * as words from '../../words.js';

const PAGE = 20;

/** What happened to a token, newest first. It is read again when `round` changes. */
export function History({ id, query, round }: { id: string; query: { owner?: number }; round: number }) {
  const path = { token_id: id };
  const first = useLoad(
    (signal) => lk.listAccessTokenEvents({ path, query: { ...query, limit: PAGE }, signal }),
    [id, query.owner, round],
  );
  const [older, setOlder] = useState<{ items: readonly AuditEvent[]; next: string | null } | undefined>(undefined);
  useEffect(() => {
    setOlder(undefined);
  }, [round]);
  const next = older === undefined ? (first.data?.nextCursor ?? null) : older.next;
  const more = useAction(async () => {
    const page = await lk.listAccessTokenEvents({ path, query: { ...query, limit: PAGE, cursor: next ?? '' } });
    setOlder({ items: [...(older?.items ?? []), ...page.items], next: page.nextCursor });
  });
  const events = [...(first.data?.items ?? []), ...(older?.items ?? [])];
  return (
    <section>
      <h2>{texts.history}</h2>
      <Problem error={first.error ?? more.error} retry={first.reload} />
      {first.data && events.length === 0 && <p class="quiet">{texts.historyEmpty}</p>}
      <ol class="events">
        {events.map((event) => (
          <li key={event.id}>
            <p>
              <strong>{words.events[event.action] ?? event.action}</strong>{' '}
              <span class="quiet">
                {texts.by(actorOf(event.actor))} {event.address !== null && texts.from(event.address)}
              </span>
              {event.action === 'token.updated' && <span class="quiet"> · {texts.changed(changesOf(event))}</span>}
            </p>
            <p class="quiet">
              <Time instant={event.createdAt} show="short" />
            </p>
          </li>
        ))}
      </ol>
      {next !== null && (
        <Button isDisabled={more.isRunning} onClick={more.run}>
          {texts.historyMore}
        </Button>
      )}
    </section>
  );
}

function actorOf({ kind, email }: EventActor): string {
  if (email !== null) return email;
  return kind === 'cli' ? texts.cli : kind === 'system' ? texts.system : texts.somebody;
}

function changesOf({ changes }: AuditEvent): string {
  return words.list(Object.keys(changes.after ?? {}));
}
