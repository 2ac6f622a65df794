import { useEffect, useState } from 'preact/hooks';
import type { AuditEvent } from '../../../../client/index.js';
import { lk } from '../../service.js';
import { ask } from '../../session.js';

/** As many new events are kept; older ones are on the next pages. */
const MOST = 200;
/** The newest events may not be in the chain yet, so that their places are not known. */
const NEWEST = 20;

/** Events that happened since one began to follow, newest first. */
export interface Following {
  arrived: readonly AuditEvent[];
  error: unknown;
}

const NOTHING: Following = { arrived: [], error: undefined };

/**
 * Follows the events of the organization while `isOn`. `begun` is called when the place is known behind which new events
 * appear, so that the list can be read up to there.
 */
export function useFollowing(isOn: boolean, begun: () => void): Following {
  const [following, setFollowing] = useState<Following>(NOTHING);
  useEffect(() => {
    setFollowing(NOTHING);
    if (!isOn) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const follow = async (): Promise<void> => {
      const { items } = await lk.listAuditEvents({ query: { limit: NEWEST }, signal });
      const after = Math.max(0, ...items.map(({ seq }) => seq ?? 0));
      begun();
      for await (const event of lk.events({ after, signal })) {
        setFollowing(({ arrived }) => ({ error: undefined, arrived: [event, ...arrived].slice(0, MOST) }));
      }
    };
    ask(follow).catch((error: unknown) => {
      if (!signal.aborted) setFollowing((last) => ({ ...last, error }));
    });
    return () => {
      leaving.abort();
    };
  }, [isOn]);
  return following;
}
