import type { AccessToken, TokenState } from '../../../../client/index.js';
import { Time } from '../../parts/time.js';
import { relativeOf } from '../../times.js';
import { words } from '../../words.js';

const texts = words.token;

/** All that a token has. */
export function Details({ token, state }: { token: AccessToken; state: TokenState }) {
  const metadata = Object.entries(token.metadata);
  return (
    <section class="card">
      <h2 class="unseen">{texts.details}</h2>
      <dl class="details">
        {token.description !== '' && (
          <>
            <dt>{texts.description}</dt>
            <dd class="text">
              <bdi>{token.description}</bdi>
            </dd>
          </>
        )}
        <dt>{texts.prefix}</dt>
        <dd>
          <code>{token.tokenPrefix}</code>
        </dd>
        <dt>{texts.scopes}</dt>
        <dd class="scopes">
          {token.scopes.length === 0
            ? words.tokens.noScopes
            : token.scopes.map((scope) => <code key={scope}>{scope}</code>)}
        </dd>
        <dt>{state === 'expired' ? texts.expired : texts.expires}</dt>
        <dd>
          {token.expiresAt === null ? (
            words.never
          ) : (
            <>
              <Time instant={token.expiresAt} show="short" /> <span class="quiet">({relativeOf(token.expiresAt)})</span>
            </>
          )}
        </dd>
        <dt>{texts.lastUsed}</dt>
        <dd>{token.lastUsedAt === null ? words.tokens.neverUsed : <Time instant={token.lastUsedAt} />}</dd>
        <dt>{texts.created}</dt>
        <dd>
          <Time instant={token.createdAt} show="short" />
        </dd>
        {token.revokedAt !== null && (
          <>
            <dt>{texts.revoked}</dt>
            <dd>
              <Time instant={token.revokedAt} show="short" />
            </dd>
          </>
        )}
        {metadata.length > 0 && (
          <>
            <dt>{texts.metadata}</dt>
            <dd>
              <ul class="pairs">
                {metadata.map(([key, value]) => (
                  <li key={key}>
                    <code>{key}</code> <bdi>{value}</bdi>
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
