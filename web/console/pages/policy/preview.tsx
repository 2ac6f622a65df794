import type { PolicyApplied } from '../../../../client/index.js';
import { Time } from '../../parts/time.js';
import { BASE } from '../../router.js';
import { dayOf } from '../../times.js';
import * as texts from '../../words/policy.js';

/** What a dry run says: how many tokens would end, when, and some of them. */
export function Preview({ preview }: { preview: PolicyApplied }) {
  const { changed, unchanged, firstEndsAt, lastEndsAt, samples } = preview;
  return (
    <section class="summary list">
      <h3>{texts.would(changed)}</h3>
      <p>
        {firstEndsAt !== null && lastEndsAt !== null && texts.wouldEnd(dayOf(firstEndsAt), dayOf(lastEndsAt))}{' '}
        {unchanged > 0 && texts.unchanged(unchanged)}
      </p>
      {samples.length > 0 && (
        <ul class="names" aria-label={texts.samples}>
          {samples.map(({ id, ownerId, name, expiresAt, endsAt }) => (
            <li key={id}>
              <a href={`${BASE}/tokens/${id}?owner=${String(ownerId)}`}>
                <bdi>{name}</bdi>
              </a>{' '}
              <span class="quiet">
                {expiresAt === null ? texts.endless : dayOf(expiresAt)} → <Time instant={endsAt} show="day" />
              </span>
            </li>
          ))}
          {changed > samples.length && <li class="quiet">{texts.rest(changed - samples.length)}</li>}
        </ul>
      )}
    </section>
  );
}
