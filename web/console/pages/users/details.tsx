import type { User } from '../../../../client/index.js';
import { ownerName } from '../../owner-name.js';
import { Details, pairsOf } from '../../parts/details.js';
import { Time } from '../../parts/time.js';
import { BASE } from '../../router.js';
import * as texts from '../../words/users.js';
import * as words from '../../words.js';
import { Ceiling } from '../services.js';

interface UserDetailsProps {
  user: User;
  /** The people who manage the service. */
  managers: readonly User[];
}

/** All that is known of a user. */
export function UserDetails({ user, managers }: UserDetailsProps) {
  return (
    <section class="card">
      <h2 class="unseen">{texts.details}</h2>
      <Details
        rows={[
          [texts.kind, user.kind !== 'person' && texts.kindOf[user.kind]],
          [
            words.owners.externalId,
            user.externalId !== null && (
              <bdi>
                <code>{user.externalId}</code>
              </bdi>
            ),
          ],
          [texts.email, user.email && <bdi>{user.email}</bdi>],
          [
            words.owners.managers,
            user.kind === 'service' &&
              (user.managers.length === 0 ? words.owners.noManagers : <Managers people={managers} />),
          ],
          [words.owners.ceiling, user.kind === 'service' && <Ceiling scopes={user.scopes} />],
          [words.owners.metadata, pairsOf(user.metadata)],
          [texts.since, <Time key="since" instant={user.createdAt} show="short" />],
        ]}
      />
    </section>
  );
}

function Managers({ people }: { people: readonly User[] }) {
  return (
    <ul class="inline">
      {people.map((person) => (
        <li key={person.id}>
          <a href={`${BASE}/users/${String(person.id)}`}>
            <bdi>{ownerName(person)}</bdi>
          </a>
          {person.disabled && <span class="quiet"> ({texts.disabled.toLowerCase()})</span>}
        </li>
      ))}
    </ul>
  );
}
