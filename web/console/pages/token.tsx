import { useState } from 'preact/hooks';
import type { AccessToken, User } from '../../../client/index.js';
import { announce } from '../announce.js';
import { useAction, useLoad } from '../load.js';
import { mayAdminister, useManaged } from '../managed.js';
import { mayChange, ownerIn, ownerQuery, useOwner } from '../owner.js';
import { StateBadge } from '../parts/badge.js';
import { Button } from '../parts/button.js';
import { FormDialog } from '../parts/form-dialog.js';
import { useOpening } from '../parts/opening.js';
import { Page } from '../parts/page.js';
import { Problem } from '../parts/problem.js';
import { Time } from '../parts/time.js';
import type { PageProps } from '../route.js';
import { BASE, navigate, usePlace } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import { stateOf } from '../states.js';
import * as texts from '../words/token.js';
import * as words from '../words.js';
import { TokenSecret } from './create/reveal.js';
import { TransferTokens } from './owners/transfer.js';
import { Details } from './token/details.js';
import { EarlierSecret } from './token/earlier.js';
import { EditToken } from './token/edit.js';
import { History } from './token/history.js';
import { RotateToken } from './token/rotate.js';

export function TokenPage({ id = '' }: PageProps) {
  const query = ownerIn(usePlace().query);
  const owner = useOwner(query);
  const path = { token_id: id };
  const token = useLoad(
    async (signal) => {
      const { data, etag } = await lk.getAccessToken({ path, query, signal }).withResponse();
      return { token: data, etag };
    },
    [id, query.owner],
  );
  const back = {
    href: `${BASE}/tokens${ownerQuery(query)}`,
    text: texts.back,
  };
  // Its actions depend on the owner.
  const isReady = owner.data !== undefined || !owner.isLoading;
  if (token.data === undefined || !isReady) {
    return (
      <Page title={words.tokens.title} back={back}>
        <Problem error={token.error} retry={token.reload} />
      </Page>
    );
  }
  return (
    <OneToken
      {...token.data}
      query={query}
      back={back}
      error={token.error}
      reload={token.reload}
      isOwn={mayChange(query, owner.data)}
      owner={owner.data}
    />
  );
}

interface OneTokenProps {
  token: AccessToken;
  etag: string | undefined;
  query: { owner?: number };
  owner: User | undefined;
  back: { href: string; text: string };
  error: unknown;
  reload: () => void;
  /** Whether the user may change it; of another person's token only a revocation is offered. */
  isOwn: boolean;
}

function OneToken({ token, etag, query, owner, back, error, reload, isOwn }: OneTokenProps) {
  const { open, close, button } = useOpening<'edit' | 'rotate' | 'transfer' | 'revoke'>();
  const [plaintext, setPlaintext] = useState<string | undefined>(undefined);
  const [round, setRound] = useState(0);
  const { scopes } = useMe();
  const mayTransfer = useManaged().length > 0 || mayAdminister(scopes);
  const path = { token_id: token.id };
  const state = stateOf(token);
  const condition = etag === undefined ? {} : { ifMatch: etag };
  const changed = (): void => {
    reload();
    setRound((last) => last + 1);
  };
  const toggle = useAction(async () => {
    await lk.updateAccessToken({ path, query, body: { disabled: !token.disabled } });
    announce(token.disabled ? texts.enabled(token.name) : texts.disabled(token.name));
    changed();
  });
  return (
    <Page
      title={token.name}
      back={back}
      lead={<StateBadge state={state} />}
      actions={
        state !== 'revoked' && (
          <>
            {isOwn && (
              <>
                {button('edit', texts.edit)}
                <Button isDisabled={toggle.isRunning} onClick={toggle.run}>
                  {token.disabled ? texts.enable : texts.disable}
                </Button>
                {button('rotate', texts.rotate)}
              </>
            )}
            {mayTransfer && token.tokenType === 'pat' && button('transfer', words.owners.transfer)}
            {button('revoke', texts.revoke, 'danger')}
          </>
        )
      }
    >
      <Problem error={error ?? toggle.error} retry={changed} />
      {plaintext !== undefined && (
        <TokenSecret
          plaintext={plaintext}
          done={() => {
            setPlaintext(undefined);
          }}
        />
      )}
      {token.disabled && state !== 'revoked' && <p class="notice warn">{texts.disabledWhy}</p>}
      {token.previousSecret !== null && state !== 'revoked' && (
        <EarlierSecret token={token} query={query} isOwn={isOwn} reload={reload} changed={changed} />
      )}
      <Details token={token} state={state} />
      <History id={token.id} query={query} round={round} />
      {open === 'edit' && (
        <EditToken token={token} condition={condition} query={query} owner={owner} onClose={close} changed={changed} />
      )}
      {open === 'rotate' && (
        <RotateToken
          token={token}
          query={query}
          onClose={close}
          onRotated={(secret) => {
            setPlaintext(secret);
            changed();
          }}
        />
      )}
      {open === 'transfer' && (
        <TransferTokens
          query={query}
          selection={{ ids: [token.id] }}
          onClose={close}
          done={() => {
            navigate(`/tokens${ownerQuery(query)}`, { replace: true });
          }}
        />
      )}
      {open === 'revoke' && (
        <FormDialog
          isDangerous
          title={texts.revokeTitle(token.name)}
          submit={texts.revoke}
          onClose={close}
          onSubmit={async () => {
            await lk.revokeAccessToken({ path, query });
            announce(texts.revokedNow(token.name));
            setPlaintext(undefined);
            changed();
          }}
        >
          <p>{texts.revokeWhy}</p>
          <p>
            {token.lastUsedAt === null ? (
              texts.neverUsed
            ) : (
              <>
                {texts.lastUsed} <Time instant={token.lastUsedAt} />
              </>
            )}
          </p>
        </FormDialog>
      )}
    </Page>
  );
}
