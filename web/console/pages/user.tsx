import type { User } from '../../../client/index.js';
import { announce } from '../announce.js';
import { isAnswered, useAction, useLoad } from '../load.js';
import { ownerName } from '../owner-name.js';
import { Button } from '../parts/button.js';
import { FormDialog } from '../parts/form-dialog.js';
import { useOpening } from '../parts/opening.js';
import { Page } from '../parts/page.js';
import { Problem } from '../parts/problem.js';
import type { PageProps } from '../route.js';
import { BASE } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import * as texts from '../words/users.js';
import * as words from '../words.js';
import { DeleteExternal } from './owners/delete.js';
import { ExternalForm } from './owners/external.js';
import { Offboard } from './owners/offboard.js';
import { ServiceForm } from './owners/service.js';
import { UserDetails } from './users/details.js';
import { EditPerson } from './users/edit.js';
import { ResetPassword } from './users/reset.js';

/** The most managers that a service can have. */
const MOST_MANAGERS = 100;

export function UserPage({ id = '' }: PageProps) {
  const user = useLoad((signal) => lk.getUser({ path: { user_id: Number(id) }, signal }), [id]);
  const back = { href: `${BASE}/users`, text: texts.back };
  if (user.data === undefined) {
    return (
      <Page title={texts.title} back={back}>
        <Problem error={user.error} retry={user.reload} />
      </Page>
    );
  }
  return <OneUser user={user.data} back={back} change={user.replace} reload={user.reload} />;
}

interface OneUserProps {
  user: User;
  back: { href: string; text: string };
  change: (user: User) => void;
  reload: () => void;
}

function OneUser({ user, back, change, reload }: OneUserProps) {
  const { me } = useMe();
  const { open, close, button } = useOpening<'edit' | 'disable' | 'revoke' | 'reset' | 'offboard' | 'delete'>();
  const isMe = user.id === me.user.id;
  const isPerson = user.kind === 'person';
  const path = { user_id: user.id };
  const name = ownerName(user);
  const enable = useAction(async () => {
    change(await lk.updateUser({ path, body: { disabled: false } }));
    announce(texts.enabledNow(name));
  });
  const hasManagers = user.managers.length > 0;
  const managers = useLoad<readonly User[]>(
    async (signal) =>
      hasManagers ? (await lk.listUsers({ query: { manages: user.id, limit: MOST_MANAGERS }, signal })).items : [],
    [user.managers.join(' ')],
  );
  const query = isMe ? '' : `?owner=${String(user.id)}`;
  return (
    <Page
      title={name}
      back={back}
      lead={
        <>
          {user.isAdmin && <span class="badge active">{texts.admin}</span>}{' '}
          {user.disabled && <span class="badge disabled">{texts.disabled}</span>}
        </>
      }
      actions={
        <>
          {!isPerson && !user.disabled && (
            <a class="button primary" href={`${BASE}/tokens/new${query}`}>
              {words.tokens.create}
            </a>
          )}
          <a class="button" href={`${BASE}/tokens${query}`}>
            {texts.tokens}
          </a>
          {!isPerson && button('edit', words.owners.edit)}
          {!isMe && (
            <>
              {isPerson && button('reset', texts.reset)}
              {user.disabled ? (
                <Button isDisabled={enable.isRunning} onClick={enable.run}>
                  {texts.enable}
                </Button>
              ) : (
                button('disable', texts.disable, 'danger')
              )}
              {button('revoke', texts.revokeTokens, 'danger')}
              {user.kind === 'external'
                ? button('delete', words.owners.delete, 'danger')
                : button('offboard', texts.offboard, 'danger')}
            </>
          )}
        </>
      }
    >
      <Problem error={enable.error ?? managers.error} />
      {(!hasManagers || isAnswered(managers)) && <UserDetails user={user} managers={managers.data ?? []} />}
      {isPerson && <EditPerson key={`${user.fullName} ${String(user.isAdmin)}`} user={user} change={change} />}
      {open === 'edit' && user.kind === 'service' && managers.data && (
        <ServiceForm service={user} managers={managers.data} onClose={close} done={change} />
      )}
      {open === 'edit' && user.kind === 'external' && <ExternalForm owner={user} onClose={close} done={change} />}
      {open === 'delete' && <DeleteExternal owner={user} onClose={close} />}
      {open === 'offboard' && <Offboard user={user} onClose={close} done={reload} />}
      {open === 'reset' && <ResetPassword user={user} onClose={close} />}
      {open === 'disable' && (
        <FormDialog
          isDangerous
          title={texts.disableTitle(name)}
          submit={texts.disable}
          onClose={close}
          onSubmit={async () => {
            change(await lk.updateUser({ path, body: { disabled: true } }));
            announce(texts.disabledNow(name));
          }}
        >
          <p>{isPerson ? texts.disableWhy : texts.disableOwnerWhy}</p>
        </FormDialog>
      )}
      {open === 'revoke' && (
        <FormDialog
          isDangerous
          title={texts.revokeTitle(name)}
          submit={texts.revokeTokens}
          onClose={close}
          onSubmit={async () => {
            change(await lk.updateUser({ path, body: { revokeTokens: true } }));
            announce(texts.revokedTokens(name));
          }}
        >
          <p>{isPerson ? texts.revokeWhy : texts.revokeOwnerWhy}</p>
        </FormDialog>
      )}
    </Page>
  );
}
