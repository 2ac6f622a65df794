import { useEffect, useRef } from 'preact/hooks';
import { Copyable } from '../../parts/copy.js';
import { words } from '../../words.js';

const texts = words.webhooks;

/** Shows a new secret of a webhook. Only this component has it, until it is left. */
export function WebhookSecret({ secret, done }: { secret: string; done: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  return (
    <section class="card reveal stack">
      <h2 ref={heading} tabIndex={-1}>
        {texts.revealTitle}
      </h2>
      <p>{texts.revealWhy}</p>
      <Copyable label={texts.secret} text={secret} button={texts.copySecret} copied={texts.copiedSecret} />
      <div class="actions">
        <button type="button" class="button primary" onClick={done}>
          {texts.done}
        </button>
      </div>
    </section>
  );
}
