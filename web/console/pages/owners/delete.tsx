import type { User } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useLoad } from '../../load.js';
import { ownerName } from '../../owner-name.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { navigate } from '../../router.js';
import { lk } from '../../service.js';
import * as texts from '../../words/owners.js';

/** Forgets an external owner, after the service has told how many tokens that would revoke. */
export function DeleteExternal({ owner, onClose }: { owner: User; onClose: () => void }) {
  const query = { owner: owner.id, tokenType: 'pat' as const };
  const counts = useLoad((signal) => lk.countAccessTokens({ query, signal }), []);
  const name = ownerName(owner);
  return (
    <FormDialog
      isDangerous
      title={texts.deleteTitle(name)}
      submit={texts.delete}
      isReady={counts.data !== undefined}
      error={counts.error}
      onClose={onClose}
      onSubmit={async () => {
        await lk.deleteExternalUser({ path: { external_id: owner.externalId ?? '' } });
        announce(texts.deleted(name));
        navigate('/users?kind=external', { replace: true });
      }}
    >
      <p>
        {counts.data && texts.wouldRevoke(counts.data.active + counts.data.expired + counts.data.disabled)}{' '}
        {texts.deleteWhy}
      </p>
    </FormDialog>
  );
}
