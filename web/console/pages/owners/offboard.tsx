import { useState } from 'preact/hooks';
import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useLoad } from '../../load.js';
import { type Named, ownerName } from '../../owner-name.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Option } from '../../parts/option.js';
import { lk } from '../../service.js';
import * as texts from '../../words/users.js';
import * as words from '../../words.js';
import { OwnerPicker } from './picker.js';

interface OffboardProps {
  user: User;
  onClose: () => void;
  done: () => void;
}

/** Ends everything of a user who leaves, after the service has told what that would be. */
export function Offboard({ user, onClose, done }: OffboardProps) {
  const [isMoving, setMoving] = useState(false);
  const [chosen, setChosen] = useState<readonly Named[]>([]);
  const [cutScopes, setCutScopes] = useState(false);
  const path = { user_id: user.id };
  const [to] = chosen;
  const isChosen = !isMoving || to !== undefined;
  const offboard = (dryRun: boolean, signal?: AbortSignal) => {
    const body = isMoving
      ? { tokens: 'transfer' as const, ...(to && { to: to.id }), ...(cutScopes && { cutScopes }), dryRun }
      : { tokens: 'revoke' as const, dryRun };
    return lk.offboardUser({ path, body, signal });
  };
  const dry = useLoad(
    (signal) => (isChosen ? offboard(true, signal) : Promise.resolve(undefined)),
    [isMoving, to?.id, cutScopes],
  );
  const told = isChosen && dry.error === undefined && !dry.isLoading ? dry.data : undefined;
  const name = ownerName(user);
  return (
    <FormDialog
      isDangerous
      title={texts.offboardTitle(name)}
      submit={texts.offboard}
      isReady={told !== undefined}
      error={dry.error}
      onClose={onClose}
      onSubmit={async () => {
        await offboard(false);
        announce(texts.offboarded(name));
        done();
      }}
    >
      <fieldset>
        <legend>{texts.offboardWhy}</legend>
        {[false, true].map((moves) => (
          <Option
            key={String(moves)}
            type="radio"
            name="tokens"
            text={moves ? texts.offboardTransfer : texts.offboardRevoke}
            checked={isMoving === moves}
            change={() => {
              setMoving(moves);
            }}
          />
        ))}
      </fieldset>
      {isMoving && (
        <>
          <OwnerPicker label={words.owners.newOwner} chosen={chosen} change={setChosen} isSingle except={user.id} />
          <Option text={words.owners.cut} checked={cutScopes} change={setCutScopes} />
        </>
      )}
      <p aria-live="polite">{told && texts.offboardWould(told)}</p>
    </FormDialog>
  );
}
