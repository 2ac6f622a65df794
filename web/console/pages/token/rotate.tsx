import { useState } from 'preact/hooks';
import type { AccessToken } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { GraceField, USUAL_GRACE } from '../../parts/grace.js';
import { lk } from '../../service.js';
import * as texts from '../../words/token.js';

interface RotateTokenProps {
  token: AccessToken;
  query: { owner?: number };
  onClose: () => void;
  onRotated: (plaintext: string) => void;
}

export function RotateToken({ token, query, onClose, onRotated }: RotateTokenProps) {
  const [grace, setGrace] = useState(USUAL_GRACE);
  return (
    <FormDialog
      title={texts.rotateTitle(token.name)}
      submit={texts.rotate}
      onClose={onClose}
      onSubmit={async () => {
        const body = { gracePeriodSeconds: grace };
        const { plaintext } = await lk.rotateAccessToken({ path: { token_id: token.id }, query, body });
        announce(texts.rotated(token.name));
        onRotated(plaintext);
      }}
    >
      <p>{texts.rotateWhy}</p>
      <GraceField legend={texts.grace} value={grace} change={setGrace} />
    </FormDialog>
  );
}
