import { Copyable } from '../../parts/copy.js';
import { Reveal } from '../../parts/reveal.js';
import * as texts from '../../words/reveal.js';

/** Shows the new secret of a token, and a command that tries it. */
export function TokenSecret({ plaintext, done }: { plaintext: string; done: () => void }) {
  const command = `curl ${location.origin}/api/v1/access-tokens/current -H "Authorization: Bearer ${plaintext}"`;
  return (
    <Reveal why={texts.why} done={done}>
      <Copyable label={texts.secret} text={plaintext} button={texts.copySecret} copied={texts.copiedSecret} />
      <Copyable label={texts.tryIt} text={command} button={texts.copyCommand} copied={texts.copiedCommand} />
    </Reveal>
  );
}
