import type { AccessToken, TokenState } from '../../../../client/index.js';
import { Codes, pairsOf, Details as Rows } from '../../parts/details.js';
import { Time } from '../../parts/time.js';
import { relativeOf } from '../../times.js';
import * as texts from '../../words/token.js';
import * as words from '../../words.js';

/** All that a token has. */
export function Details({ token, state }: { token: AccessToken; state: TokenState }) {
  return (
    <section class="card">
      <h2 class="unseen">{texts.details}</h2>
      <Rows
        rows={[
          [texts.description, token.description && <bdi class="text">{token.description}</bdi>],
          [texts.prefix, <code key="prefix">{token.tokenPrefix}</code>],
          [texts.scopes, token.scopes.length === 0 ? words.tokens.noScopes : <Codes of={token.scopes} />],
          [
            state === 'expired' ? texts.expired : texts.expires,
            token.expiresAt === null ? (
              words.never
            ) : (
              <>
                <Time instant={token.expiresAt} show="short" />{' '}
                <span class="quiet">({relativeOf(token.expiresAt)})</span>
              </>
            ),
          ],
          [texts.lastUsed, token.lastUsedAt === null ? words.tokens.neverUsed : <Time instant={token.lastUsedAt} />],
          [texts.created, <Time key="created" instant={token.createdAt} show="short" />],
          [texts.revoked, token.revokedAt && <Time instant={token.revokedAt} show="short" />],
          [texts.metadata, pairsOf(token.metadata)],
        ]}
      />
    </section>
  );
}
