import { useEffect, useState } from 'preact/hooks';
import type { AccessToken } from '../../../../client/index.js';
import { announce } from '../../announce.js';
import { useLoad } from '../../load.js';
import { mayAdminister, useManaged } from '../../managed.js';
import { Button } from '../../parts/button.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Problem } from '../../parts/problem.js';
import { Time } from '../../parts/time.js';
import { lk } from '../../service.js';
import { useMe } from '../../session.js';
import * as texts from '../../words/tokens.js';
import * as words from '../../words.js';
import { type TokenSelection, TransferTokens } from '../owners/transfer.js';
import { filtersOf, type View } from './view.js';

/** Tokens that the question shows by their names. */
const SHOWN = 8;

interface SelectionProps {
  view: View;
  items: readonly AccessToken[];
  selected: ReadonlySet<string>;
  /** How many tokens match the view, on all pages. */
  matching: number;
  clear: () => void;
  done: () => void;
}

interface Asked {
  question: 'revoke' | 'transfer';
  selection: TokenSelection;
}

/** What can be done with the selected tokens; always there, so that the list does not jump. */
export function Selection({ view, items, selected, matching, clear, done }: SelectionProps) {
  const [isWhole, setWhole] = useState(false);
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  const { scopes } = useMe();
  const mayTransfer = useManaged().length > 0 || mayAdminister(scopes);
  useEffect(() => {
    setWhole(false);
  }, [selected]);
  const isWholePage = selected.size === items.length && matching > items.length;
  const count = isWhole ? matching : selected.size;
  const { owner, ...filter } = filtersOf(view);
  const query = owner === undefined ? {} : { owner };
  const close = (): void => {
    setAsked(undefined);
  };
  const ask = (question: 'revoke' | 'transfer'): void => {
    // Without tokens that are created while the question is open.
    const createdBefore = new Date().toISOString();
    setAsked({
      question,
      selection: isWhole ? { filter: { ...filter, state: view.state, createdBefore } } : { ids: [...selected] },
    });
  };
  return (
    <div class="selection">
      <p aria-live="polite" class={selected.size === 0 ? 'quiet' : undefined}>
        {selected.size === 0 ? texts.matching(matching) : texts.selected(count)}
      </p>
      {selected.size > 0 && (
        <div class="actions">
          {isWholePage && !isWhole && (
            <Button
              onClick={() => {
                setWhole(true);
              }}
            >
              {texts.selectAll(matching)}
            </Button>
          )}
          <Button onClick={clear}>{texts.clear}</Button>
          {mayTransfer && (
            <Button
              onClick={() => {
                ask('transfer');
              }}
            >
              {words.owners.transfer}
            </Button>
          )}
          <Button
            kind="danger"
            onClick={() => {
              ask('revoke');
            }}
          >
            {texts.revoke}
          </Button>
        </div>
      )}
      {asked?.question === 'revoke' && (
        <RevokeMany query={query} selection={asked.selection} onClose={close} done={done} />
      )}
      {asked?.question === 'transfer' && (
        <TransferTokens query={query} selection={asked.selection} onClose={close} done={done} />
      )}
    </div>
  );
}

interface QuestionProps {
  query: { owner?: number };
  selection: TokenSelection;
  onClose: () => void;
  done: () => void;
}

/** Shows what a revocation would revoke, as the service says, and then revokes exactly by the same selection. */
function RevokeMany({ query, selection, onClose, done }: QuestionProps) {
  const dry = useLoad((signal) => lk.revokeAccessTokens({ query, body: { ...selection, dryRun: true }, signal }), []);
  const count = dry.data?.revokedCount ?? ('ids' in selection ? selection.ids.length : 0);
  const rest = count - SHOWN;
  return (
    <FormDialog
      isDangerous
      title={texts.revokeTitle(count)}
      submit={texts.revokeSubmit(count)}
      isReady={count > 0 && dry.data !== undefined}
      onClose={onClose}
      onSubmit={async () => {
        const { revokedCount } = await lk.revokeAccessTokens({ query, body: selection });
        announce(texts.revoked(revokedCount));
        done();
      }}
    >
      <p>{texts.revokeWhy}</p>
      <Problem error={dry.error} retry={dry.reload} />
      {dry.data === undefined && dry.error === undefined && <p class="quiet">{texts.checking}…</p>}
      {dry.data?.revokedCount === 0 && <p>{texts.revokeNone}</p>}
      {dry.data && (
        <ul class="names">
          {dry.data.tokens.slice(0, SHOWN).map((token) => (
            <li key={token.id}>
              <bdi>{token.name}</bdi>{' '}
              <span class="quiet">
                {token.lastUsedAt === null ? (
                  texts.neverUsed
                ) : (
                  <>
                    {texts.lastUsed} <Time instant={token.lastUsedAt} />
                  </>
                )}
              </span>
            </li>
          ))}
          {rest > 0 && <li class="quiet">{texts.revokeRest(rest)}</li>}
        </ul>
      )}
    </FormDialog>
  );
}
