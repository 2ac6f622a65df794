import { useState } from 'preact/hooks';
import type { TokenFilter } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useLoad } from '../../load.js';
import { type Named, ownerName } from '../../owner-name.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Option } from '../../parts/option.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import * as texts from '../../words/owners.js';
import { OwnerPicker } from './picker.js';

/** Which tokens of an owner are meant. */
export type TokenSelection = { ids: string[] } | { filter: TokenFilter };

interface TransferTokensProps {
  /** The owner of the tokens, unless they are the user's own. */
  query: { owner?: number };
  selection: TokenSelection;
  onClose: () => void;
  done: () => void;
}

/** Gives tokens to another owner, after the service has told how many that would be. */
export function TransferTokens({ query, selection, onClose, done }: TransferTokensProps) {
  const { me } = useMe();
  const [chosen, setChosen] = useState<readonly Named[]>([]);
  const [cutScopes, setCutScopes] = useState(false);
  const [to] = chosen;
  const transfer = (owner: Named, dryRun: boolean, signal?: AbortSignal) =>
    lk.transferAccessTokens({ query, body: { ...selection, to: owner.id, cutScopes, dryRun }, signal });
  const dry = useLoad(
    (signal) => (to === undefined ? Promise.resolve(undefined) : transfer(to, true, signal)),
    [to?.id, cutScopes],
  );
  const told = to !== undefined && dry.error === undefined && !dry.isLoading ? dry.data : undefined;
  return (
    <FormDialog
      title={texts.transfer}
      submit={texts.transfer}
      isReady={told !== undefined && told.transferredCount > 0}
      error={dry.error}
      onClose={onClose}
      onSubmit={async () => {
        if (to === undefined) return;
        let count = 0;
        for (let isDone = false; !isDone; ) {
          const { transferredCount, complete } = await transfer(to, false);
          count += transferredCount;
          isDone = complete;
        }
        announce(texts.transferred(count, ownerName(to)));
        done();
      }}
    >
      <p>{texts.transferWhy}</p>
      <OwnerPicker
        label={texts.newOwner}
        chosen={chosen}
        change={setChosen}
        isSingle
        except={query.owner ?? me.user.id}
      />
      <Option text={texts.cut} checked={cutScopes} change={setCutScopes} />
      <p aria-live="polite">
        {told && texts.wouldTransfer(told.transferredCount, told.cutCount)}
        {told?.complete === false && ` ${texts.andMore}`}
      </p>
    </FormDialog>
  );
}
