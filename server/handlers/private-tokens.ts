import type { PrivateToken } from '../../generated/types.gen.js';
import type { Handlers, Request } from '../contract/contract.js';
import { parseDateTime } from '../contract/formats.js';
import type { Deps } from '../deps.js';
import { ownOrigin } from '../http/origin.js';
import { LAST_INSTANT, toInstant } from '../instants.js';
import { issueToken } from '../tokens/issue.js';
import { listPage } from '../tokens/list.js';
import { revokePrivateToken } from '../tokens/revoke.js';
import type { AccessToken } from '../tokens/token.js';
import { textOf } from './reveal.js';

export const privateTokens = {
  async listPrivateTokens(deps, request) {
    const { ordering, q, page, page_size: pageSize } = request.query;
    const { tokens, count } = await listPage(deps, request.caller, { ordering, q, page, pageSize });
    return {
      body: {
        count,
        next: page * pageSize < count ? pageUrl(deps, request, page + 1) : null,
        previous: page > 1 ? pageUrl(deps, request, page - 1) : null,
        results: tokens.map(toPrivateToken),
      },
    };
  },

  async createPrivateToken(deps, { actor, body: { name, expiration_time: expirationTime }, idempotency }) {
    // The contract's format has checked the text.
    const until = parseDateTime(expirationTime) ?? 0;
    const { plaintext, token } = await issueToken(deps, actor, {}, { name, lifetime: { until } }, idempotency);
    const { id, expiresAt } = token;
    return { body: { id, name: token.name, expiration_time: toExpirationTime(expiresAt), data: textOf(plaintext) } };
  },

  async revokePrivateToken(deps, { actor, path, conditions }) {
    await revokePrivateToken(deps, actor, path.id, conditions);
    return {};
  },
} satisfies Partial<Handlers>;

function toPrivateToken({ id, name, expiresAt }: AccessToken): PrivateToken {
  return { id, name, expiration_time: toExpirationTime(expiresAt) };
}

/** A token that never expires gets the last instant, because clients of this API expect no null. */
function toExpirationTime(expiresAt: number | null): string {
  return toInstant(expiresAt ?? LAST_INSTANT);
}

/** The request's own URL with another page number. */
function pageUrl({ config }: Deps, { raw }: Request<'listPrivateTokens'>, page: number): string {
  const url = new URL(raw.url ?? '/', ownOrigin(raw, config));
  url.searchParams.set('page', String(page));
  return url.href;
}
