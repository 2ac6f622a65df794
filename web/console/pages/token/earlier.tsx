import { useEffect } from 'preact/hooks';
import type { AccessToken } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Button } from '../../parts/button.js';
import { Details } from '../../parts/details.js';
import { Problem } from '../../parts/problem.js';
import { Time } from '../../parts/time.js';
import { lk } from '../../service.js';
import * as texts from '../../words/token.js';
import * as words from '../../words.js';

/** Milliseconds after which the last use is looked up again. */
const PERIOD = 10_000;

interface EarlierSecretProps {
  token: AccessToken;
  query: { owner?: number };
  isOwn: boolean;
  reload: () => void;
  changed: () => void;
}

/** Shows whether the secret before the last rotation is still used, while its grace period lasts. */
export function EarlierSecret({ token, query, isOwn, reload, changed }: EarlierSecretProps) {
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, PERIOD);
    return () => {
      clearInterval(timer);
    };
  }, [reload]);
  const end = useAction(async () => {
    await lk.updateAccessToken({ path: { token_id: token.id }, query, body: { previousSecret: null } });
    announce(texts.endedEarlier);
    changed();
  });
  const { previousSecret: earlier } = token;
  if (earlier === null) return null;
  return (
    <section class="card">
      <div class="card-head">
        <h2>{texts.earlier}</h2>
        {isOwn && (
          <Button isDisabled={end.isRunning} onClick={end.run}>
            {texts.endEarlier}
          </Button>
        )}
      </div>
      <Problem error={end.error} />
      <p class="quiet">{texts.earlierWhy}</p>
      <Details
        rows={[
          [texts.prefix, <code key="prefix">{earlier.tokenPrefix}</code>],
          [texts.earlierUntil, <Time key="until" instant={earlier.validUntil} show="short" />],
          [
            texts.earlierUse,
            earlier.lastUsedAt === null ? words.tokens.neverUsed : <Time instant={earlier.lastUsedAt} />,
          ],
        ]}
      />
    </section>
  );
}
