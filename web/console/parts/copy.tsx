import { useRef, useState } from 'preact/hooks';
import { announce } from '../announce.js';
import * as words from '../words.js';
import { Button } from './button.js';
import { Icon } from './icon.js';

/** A text to take along, with a button that copies it. */
export function Copyable({
  label,
  text,
  button,
  copied,
}: {
  label: string;
  text: string;
  button: string;
  copied: string;
}) {
  const ref = useRef<HTMLElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers have this clipboard only on https and on this machine, and may refuse it.
      if (ref.current !== null) getSelection()?.selectAllChildren(ref.current);
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without https
      if (!document.execCommand('copy')) {
        announce(words.copyYourself);
        return;
      }
    }
    setCopied(true);
    announce(copied);
  };
  return (
    <div class="copyable">
      <span class="label">{label}</span>
      <div>
        <code ref={ref} tabIndex={0} aria-label={label}>
          {text}
        </code>
        <Button label={button} onClick={() => void copy()}>
          <Icon name={isCopied ? 'check' : 'copy'} />
          {isCopied ? words.copied : words.copy}
        </Button>
      </div>
    </div>
  );
}
