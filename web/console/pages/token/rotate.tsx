import { useState } from 'preact/hooks';
import type { AccessToken } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useAction } from '../../load.js';
import { Dialog } from '../../parts/dialog.js';
import { Problem } from '../../parts/problem.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';

const texts = words.token;
/** Seconds; time enough to replace the secret everywhere. */
const USUAL_GRACE = 86_400;

interface RotateTokenProps {
  token: AccessToken;
  query: { owner?: number };
  onClose: () => void;
  onRotated: (plaintext: string) => void;
}

export function RotateToken({ token, query, onClose, onRotated }: RotateTokenProps) {
  const [grace, setGrace] = useState(USUAL_GRACE);
  const rotate = useAction(async () => {
    const body = { gracePeriodSeconds: grace };
    const { plaintext } = await lk.rotateAccessToken({ path: { token_id: token.id }, query, body });
    announce(texts.rotated(token.name));
    onClose();
    onRotated(plaintext);
  });
  return (
    <Dialog title={texts.rotateTitle(token.name)} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rotate.run();
        }}
      >
        <p>{texts.rotateWhy}</p>
        <fieldset>
          <legend>{texts.grace}</legend>
          <div class="choices">
            {Object.entries(texts.graces).map(([seconds, text]) => (
              <label key={seconds} class="choice">
                <input
                  type="radio"
                  name="grace"
                  value={seconds}
                  checked={grace === Number(seconds)}
                  onChange={() => {
                    setGrace(Number(seconds));
                  }}
                />
                {text}
              </label>
            ))}
          </div>
        </fieldset>
        <Problem error={rotate.error} />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" class="button primary" disabled={rotate.isRunning}>
            {texts.rotate}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
