import { useEffect, useRef } from 'preact/hooks';
import { Copyable } from '../../parts/copy.js';
import { words } from '../../words.js';

const texts = words.reveal;

/** Shows a new secret, and a command that tries it. Only this component has the secret, until it is left. */
export function Reveal({ plaintext, done }: { plaintext: string; done: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const command = `curl ${location.origin}/api/v1/access-tokens/current -H "Authorization: Bearer ${plaintext}"`;
  return (
    <section class="card reveal stack">
      <h2 ref={heading} tabIndex={-1}>
        {texts.title}
      </h2>
      <p>{texts.why}</p>
      <Copyable label={texts.secret} text={plaintext} button={texts.copySecret} copied={texts.copiedSecret} />
      <Copyable label={texts.tryIt} text={command} button={texts.copyCommand} copied={texts.copiedCommand} />
      <div class="actions">
        <button type="button" class="button primary" onClick={done}>
          {texts.done}
        </button>
      </div>
    </section>
  );
}
