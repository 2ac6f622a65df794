import { Copyable } from '../../parts/copy.js';
import { Reveal } from '../../parts/reveal.js';
import * as texts from '../../words/webhooks.js';

/** Shows the new secret of a webhook. */
export function WebhookSecret({ secret, done }: { secret: string; done: () => void }) {
  return (
    <Reveal why={texts.revealWhy} done={done}>
      <Copyable label={texts.secret} text={secret} button={texts.copySecret} copied={texts.copiedSecret} />
    </Reveal>
  );
}
