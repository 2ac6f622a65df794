import type { IssuedAccessToken } from '../../generated/types.gen.js';
import type { Handlers } from '../contract.js';
import { editToken } from '../tokens/edit.js';
import { entityTagOf } from '../tokens/entity-tag.js';
import { getToken } from '../tokens/find.js';
import { type IssuedToken, issueToken } from '../tokens/issue.js';
import { listTokens } from '../tokens/list.js';
import { revokeAllTokens, revokeToken } from '../tokens/revoke.js';
import { rotateToken } from '../tokens/rotate.js';
import type { AccessToken } from '../tokens/token.js';
import { toWireToken } from './wire-token.js';

type AccessTokenHandlers = Pick<
  Handlers,
  | 'listAccessTokens'
  | 'createAccessToken'
  | 'revokeAllAccessTokens'
  | 'getAccessToken'
  | 'updateAccessToken'
  | 'revokeAccessToken'
  | 'rotateAccessToken'
  | 'getCurrentAccessToken'
  | 'revokeCurrentAccessToken'
  | 'rotateCurrentAccessToken'
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

  async createAccessToken(deps, { caller, body: { expiresInDays: days, ...description }, attempt }) {
    const { headers, body } = toIssued(await issueToken(deps, caller, { ...description, lifetime: { days } }, attempt));
    return { headers: { ...headers, Location: `/api/v1/access-tokens/${body.token.id}` }, body };
  },

  async revokeAllAccessTokens(deps, { caller, query }) {
    const except = query.exclude_current ? caller.tokenId : null;
    return { body: { revokedCount: await revokeAllTokens(deps, caller.ownerId, except) } };
  },

  async getAccessToken(deps, { caller, path }) {
    return toAnswer(await getToken(deps, caller.ownerId, path.token_id));
  },

  async updateAccessToken(deps, { caller, path, body, ifMatch }) {
    return toAnswer(await editToken(deps, caller, path.token_id, body, ifMatch));
  },

  async revokeAccessToken(deps, { caller, path }) {
    await revokeToken(deps, caller.ownerId, path.token_id);
    return {};
  },

  async rotateAccessToken(deps, { caller, path, body, ifMatch, attempt }) {
    return toIssued(await rotateToken(deps, caller, path.token_id, { ...body, ifMatch }, attempt));
  },

  async getCurrentAccessToken(deps, { caller }) {
    return toAnswer(await getToken(deps, caller.ownerId, caller.tokenUuid));
  },

  async revokeCurrentAccessToken(deps, { caller }) {
    await revokeToken(deps, caller.ownerId, caller.tokenUuid);
    return {};
  },

  async rotateCurrentAccessToken(deps, { caller, body, ifMatch, attempt }) {
    return toIssued(await rotateToken(deps, caller, caller.tokenUuid, { ...body, ifMatch }, attempt));
  },
};

function toAnswer(token: AccessToken) {
  return { headers: { ETag: entityTagOf(token) }, body: toWireToken(token) };
}

function toIssued({ plaintext, token }: IssuedToken): { headers: { ETag: string }; body: IssuedAccessToken } {
  return { headers: { ETag: entityTagOf(token) }, body: { plaintext, token: toWireToken(token) } };
}
