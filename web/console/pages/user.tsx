import { useRef, useState } from 'preact/hooks';
import type { User } from '../../../client/index.js';
import { announce } from '../announce.js';
import { useAction, useLoad } from '../load.js';
import { ownerName } from '../owner-name.js';
import { Button } from '../parts/button.js';
import { Field } from '../parts/field.js';
import { textOf } from '../parts/form.js';
import { FormDialog } from '../parts/form-dialog.js';
import { Page } from '../parts/page.js';
import { messagesFor, Problem, withoutFields } from '../parts/problem.js';
import { Time } from '../parts/time.js';
import type { PageProps } from '../route.js';
import { BASE } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import { words } from '../words.js';
import { Offboard } from './users/offboard.js';
import { ResetPassword } from './users/reset.js';

const texts = words.users;

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
  const [open, setOpen] = useState<'disable' | 'revoke' | 'reset' | 'offboard' | undefined>(undefined);
  const isMe = user.id === me.user.id;
  const path = { user_id: user.id };
  const name = ownerName(user);
  const close = (): void => {
    setOpen(undefined);
  };
  const enable = useAction(async () => {
    change(await lk.updateUser({ path, body: { disabled: false } }));
    announce(texts.enabledNow(name));
  });
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
          <a class="button" href={isMe ? `${BASE}/tokens` : `${BASE}/tokens?owner=${String(user.id)}`}>
            {texts.tokens}
          </a>
          {!isMe && (
            <>
              {user.kind === 'person' && (
                <Button
                  onClick={() => {
                    setOpen('reset');
                  }}
                >
                  {texts.reset}
                </Button>
              )}
              {user.disabled ? (
                <Button isDisabled={enable.isRunning} onClick={enable.run}>
                  {texts.enable}
                </Button>
              ) : (
                <Button
                  kind="danger"
                  onClick={() => {
                    setOpen('disable');
                  }}
                >
                  {texts.disable}
                </Button>
              )}
              <Button
                kind="danger"
                onClick={() => {
                  setOpen('revoke');
                }}
              >
                {texts.revokeTokens}
              </Button>
              {user.kind === 'person' && (
                <Button
                  kind="danger"
                  onClick={() => {
                    setOpen('offboard');
                  }}
                >
                  {texts.offboard}
                </Button>
              )}
            </>
          )}
        </>
      }
    >
      <Problem error={enable.error} />
      <section class="card">
        <dl class="details">
          {user.kind !== 'person' && (
            <>
              <dt>{texts.kind}</dt>
              <dd>{texts.kindOf[user.kind]}</dd>
            </>
          )}
          {user.externalId !== null && (
            <>
              <dt>{texts.externalId}</dt>
              <dd>
                <bdi>
                  <code>{user.externalId}</code>
                </bdi>
              </dd>
            </>
          )}
          {user.email !== null && (
            <>
              <dt>{texts.email}</dt>
              <dd>
                <bdi>{user.email}</bdi>
              </dd>
            </>
          )}
          {user.kind === 'service' && (
            <>
              <dt>{texts.managers}</dt>
              <dd class="scopes">
                {user.managers.length === 0
                  ? words.none
                  : user.managers.map((id) => (
                      <a key={id} href={`${BASE}/users/${String(id)}`}>
                        {texts.manager(id)}
                      </a>
                    ))}
              </dd>
              <dt>{texts.ceiling}</dt>
              <dd class="scopes">
                {user.scopes === null ? texts.anyScopes : user.scopes.map((scope) => <code key={scope}>{scope}</code>)}
              </dd>
            </>
          )}
          <dt>{texts.since}</dt>
          <dd>
            <Time instant={user.createdAt} show="short" />
          </dd>
        </dl>
      </section>
      <EditUser key={`${user.fullName} ${String(user.isAdmin)}`} user={user} change={change} />
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
          <p>{texts.disableWhy}</p>
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
          <p>{texts.revokeWhy}</p>
        </FormDialog>
      )}
    </Page>
  );
}

function EditUser({ user, change }: { user: User; change: (user: User) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const save = useAction(async () => {
    const fields = new FormData(form.current ?? undefined);
    const isAdmin = fields.get('isAdmin') !== null;
    const body = { fullName: textOf(fields, 'fullName'), ...(user.kind === 'person' && { isAdmin }) };
    change(await lk.updateUser({ path: { user_id: user.id }, body }));
    announce(texts.saved);
  });
  return (
    <section class="card">
      <h2>{texts.details}</h2>
      <form
        ref={form}
        class="stack form"
        onSubmit={(event) => {
          event.preventDefault();
          save.run();
        }}
      >
        <Field label={texts.name} error={messagesFor(save.error, 'fullName')} isOptional>
          {(control) => (
            <input {...control} name="fullName" autocomplete="off" maxLength={255} defaultValue={user.fullName} />
          )}
        </Field>
        {user.kind === 'person' && (
          <label class="option">
            <input type="checkbox" name="isAdmin" defaultChecked={user.isAdmin} />
            <span>
              {texts.isAdmin}
              <span class="hint">{texts.isAdminHint}</span>
            </span>
          </label>
        )}
        <Problem error={withoutFields(save.error, ['fullName'])} />
        <div class="actions">
          <button type="submit" class="button" disabled={save.isRunning}>
            {words.save}
          </button>
        </div>
      </form>
    </section>
  );
}
