import { useState } from 'preact/hooks';
import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useLoad } from '../../load.js';
import { ownerName } from '../../owner-name.js';
import { Field } from '../../parts/field.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Problem } from '../../parts/problem.js';
import { lk } from '../../service.js';
import { words } from '../../words.js';

const texts = words.users;

interface OffboardProps {
  user: User;
  onClose: () => void;
  done: () => void;
}

/** Ends everything of a user who leaves, after the service has told what that would be. */
export function Offboard({ user, onClose, done }: OffboardProps) {
  const [isMoving, setMoving] = useState(false);
  const [to, setTo] = useState<number | undefined>(undefined);
  const [cutScopes, setCutScopes] = useState(false);
  const owners = useLoad((signal) => lk.listUsers({ query: { limit: 200 }, signal }), []);
  const path = { user_id: user.id };
  const isChosen = !isMoving || to !== undefined;
  const offboard = (dryRun: boolean, signal?: AbortSignal) => {
    const body = isMoving
      ? { tokens: 'transfer' as const, ...(to !== undefined && { to }), ...(cutScopes && { cutScopes }), dryRun }
      : { tokens: 'revoke' as const, dryRun };
    return lk.offboardUser({ path, body, signal });
  };
  const dry = useLoad(
    (signal) => (isChosen ? offboard(true, signal) : Promise.resolve(undefined)),
    [isMoving, to, cutScopes],
  );
  const name = ownerName(user);
  return (
    <FormDialog
      isDangerous
      title={texts.offboardTitle(name)}
      submit={texts.offboard}
      isReady={isChosen && dry.data !== undefined && dry.error === undefined && !dry.isLoading}
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
          <label key={String(moves)} class="option">
            <input
              type="radio"
              name="tokens"
              checked={isMoving === moves}
              onChange={() => {
                setMoving(moves);
              }}
            />
            <span>{moves ? texts.offboardTransfer : texts.offboardRevoke}</span>
          </label>
        ))}
      </fieldset>
      {isMoving && (
        <>
          <Field label={texts.offboardTo}>
            {(control) => (
              <select
                {...control}
                value={to === undefined ? '' : String(to)}
                onChange={(event) => {
                  const { value } = event.currentTarget;
                  setTo(value === '' ? undefined : Number(value));
                }}
              >
                <option value="">{texts.offboardChoose}</option>
                {owners.data?.items
                  .filter(({ id, disabled }) => id !== user.id && !disabled)
                  .map((owner) => (
                    <option key={owner.id} value={String(owner.id)}>
                      {ownerName(owner)}
                    </option>
                  ))}
              </select>
            )}
          </Field>
          <label class="option">
            <input
              type="checkbox"
              checked={cutScopes}
              onChange={() => {
                setCutScopes(!cutScopes);
              }}
            />
            <span>{texts.offboardCut}</span>
          </label>
        </>
      )}
      <Problem error={owners.error ?? dry.error} />
      <p aria-live="polite">
        {dry.data !== undefined &&
          dry.error === undefined &&
          isChosen &&
          texts.offboardWould(dry.data.revokedCount, dry.data.transferredCount, dry.data.sessionCount)}
      </p>
    </FormDialog>
  );
}
