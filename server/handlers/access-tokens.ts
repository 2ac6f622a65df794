import type { AccessToken as WireToken } from '../../generated/types.gen.js';
import type { Handlers } from '../contract.js';
import { getToken } from '../tokens/find.js';
import { issueToken } from '../tokens/issue.js';
import { listTokens } from '../tokens/list.js';
import { revokeAllTokens, revokeToken } from '../tokens/revoke.js';
import type { AccessToken } from '../tokens/token.js';
import { toInstant, toInstantOrNull } from './instants.js';

const DAY = 86_400_000;

type AccessTokenHandlers = Pick<
  Handlers,
  'listAccessTokens' | 'createAccessToken' | 'revokeAllAccessTokens' | 'getAccessToken' | 'revokeAccessToken'
>;

export const accessTokens: AccessTokenHandlers = {
  async listAccessTokens(deps, { caller, query }) {
    const { tokens, nextCursor } = await listTokens(deps, caller.ownerId, {
      type: query.tokenType,
      includeRevoked: query.includeRevoked,
      limit: query.limit,
      cursor: query.cursor,
    });
    return { body: { items: tokens.map(toWireToken), nextCursor } };
  },

  async createAccessToken(deps, { caller, body: { name, expiresInDays } }) {
    const createdAt = deps.now();
    const expiresAt = typeof expiresInDays === 'number' ? createdAt + expiresInDays * DAY : null;
    const { plaintext, token } = await issueToken(deps, caller, { name, createdAt, expiresAt });
    return {
      headers: { Location: `/api/v1/access-tokens/${token.uuid}` },
      body: { plaintext, token: toWireToken(token) },
    };
  },

  async revokeAllAccessTokens(deps, { caller, query }) {
    const except = query.exclude_current ? caller.tokenId : null;
    return { body: { revokedCount: await revokeAllTokens(deps, caller.ownerId, except) } };
  },

  async getAccessToken(deps, { caller, path }) {
    return { body: toWireToken(await getToken(deps, caller.ownerId, path.token_id)) };
  },

  async revokeAccessToken(deps, { caller, path }) {
    await revokeToken(deps, caller.ownerId, path.token_id);
    return {};
  },
};

function toWireToken(token: AccessToken): WireToken {
  return {
    id: token.uuid,
    name: token.name,
    tokenPrefix: token.prefix,
    tokenType: token.type,
    createdAt: toInstant(token.createdAt),
    expiresAt: toInstantOrNull(token.expiresAt),
    lastUsedAt: toInstantOrNull(token.lastUsedAt),
    revokedAt: toInstantOrNull(token.revokedAt),
  };
}
