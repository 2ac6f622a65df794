import { useState } from 'preact/hooks';
import type { AuditEvent } from '../../../../client/index.js';
import { Details } from '../../parts/details.js';
import { BASE, placeWith, usePlace } from '../../router.js';
import * as texts from '../../words/audit.js';
import * as words from '../../words.js';
import { actorOf } from './actor.js';

/** Everything that an event says. It is only drawn when it is opened, since a page has many events. */
export function EventDetails({ event }: { event: AuditEvent }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      onToggle={({ currentTarget }) => {
        setOpen(currentTarget.open);
      }}
    >
      <summary>{texts.details}</summary>
      {isOpen && <Everything event={event} />}
    </details>
  );
}

function Everything({ event }: { event: AuditEvent }) {
  const place = usePlace();
  const { actor, target, reason, userAgent, requestId, seq, hash, changes } = event;
  const linkTo = (filter: Readonly<Record<string, string>>) => BASE + placeWith(place, { ...filter, after: '' });
  return (
    <>
      <Details
        rows={[
          [texts.reason, reason && texts.reasons[reason]],
          [texts.token, target?.tokenPrefix && <code>{target.tokenPrefix}</code>],
          [texts.count, changes.count?.toLocaleString()],
          [texts.userAgent, userAgent && <bdi>{userAgent}</bdi>],
          [
            texts.request,
            requestId && (
              <a href={linkTo({ requestId })}>
                <code>{requestId}</code>
              </a>
            ),
          ],
          [texts.place, seq === null ? texts.notLinked : seq.toLocaleString()],
          [texts.hash, hash && <code>{hash}</code>],
        ]}
      />
      <Changes changes={changes} />
      <p class="links">
        {actor.userId !== null && <a href={linkTo({ actor: String(actor.userId) })}>{texts.onlyBy(actorOf(actor))}</a>}{' '}
        {target !== null && target.tokenId !== null && (
          <a href={linkTo({ token: target.tokenId })}>{texts.onlyToken}</a>
        )}
      </p>
    </>
  );
}

/** The members that changed, as they were and as they are now. */
function Changes({ changes: { before = {}, after = {} } }: Pick<AuditEvent, 'changes'>) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.length === 0) return null;
  const hasBefore = Object.keys(before).length > 0;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{texts.member}</th>
          {hasBefore && <th scope="col">{texts.before}</th>}
          <th scope="col">{texts.after}</th>
        </tr>
      </thead>
      <tbody>
        {names.map((name) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            {hasBefore && <td>{valueOf(before[name])}</td>}
            <td>{valueOf(after[name])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function valueOf(value: unknown) {
  if (value === undefined || value === null || value === '') return <span class="quiet">{words.none}</span>;
  return <bdi>{typeof value === 'string' ? value : JSON.stringify(value)}</bdi>;
}
