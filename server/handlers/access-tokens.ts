import type { IncomingMessage } from 'node:http';
import type { IssuedAccessToken, TokenFilter as WireFilter } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import { parseDateTime } from '../contract/formats.js';
import type { Deps } from '../deps.js';
import { actingOwner } from '../tokens/acting.js';
import type { Caller } from '../tokens/caller.js';
import { countTokens } from '../tokens/count.js';
import { editToken } from '../tokens/edit.js';
import { entityTagOf } from '../tokens/entity-tag.js';
import type { TokenFilter } from '../tokens/filter.js';
import { getToken } from '../tokens/find.js';
import { issueToken } from '../tokens/issue.js';
import { listTokens } from '../tokens/list.js';
import { countLimited } from '../tokens/policy.js';
import { revokeAllTokens, revokeToken, revokeTokens } from '../tokens/revoke.js';
import { rotateToken } from '../tokens/rotate.js';
import type { Selection } from '../tokens/selection.js';
import type { IssuedToken, VersionedToken } from '../tokens/token.js';
import { transferTokens } from '../tokens/transfer.js';
import { textOf } from './reveal.js';
import { sessionCookie } from './session-cookie.js';
import { toWireToken } from './wire-token.js';

export const accessTokens = {
  async listAccessTokens(deps, { caller, query }) {
    const { owner, externalOwner, includeRevoked, sort, limit, cursor, ...filter } = query;
    const list = { filter: toFilter(filter), includeRevoked, sort, limit, cursor };
    const acting = await actingOwner(deps.db.read, caller, { owner, externalOwner }, 'read');
    const { tokens, nextCursor } = await listTokens(deps, acting, list);
    return { body: { items: tokens.map(toWireToken), nextCursor } };
  },

  async countAccessTokens(deps, { caller, query: { owner, externalOwner, ...filter } }) {
    const acting = await actingOwner(deps.db.read, caller, { owner, externalOwner }, 'read');
    return { body: await countTokens(deps, acting, toFilter(filter)) };
  },

  async getTokenLimits(deps, { caller, query }) {
    const owner = await actingOwner(deps.db.read, caller, query, 'read');
    const { defaultLifetimeDays, maxLifetimeDays, requireExpiry, maxTokensPerOwner } = deps.config;
    const tokenCount = await countLimited(deps.db.read, owner, deps.now());
    return { body: { defaultLifetimeDays, maxLifetimeDays, requireExpiry, maxTokensPerOwner, tokenCount } };
  },

  async createAccessToken(
    deps,
    { actor, query, body: { name, description, metadata, scopes, expiresInDays: days }, idempotency },
  ) {
    const request = { name, description, metadata, scopes, lifetime: { days } };
    const { headers, body } = toIssued(await issueToken(deps, actor, query, request, idempotency));
    return { headers: { ETag: headers.ETag, Location: `/api/v1/access-tokens/${body.token.id}` }, body };
  },

  async revokeAllAccessTokens(deps, { caller, actor, query }) {
    const except = query.exclude_current ? caller.tokenId : null;
    return { body: { revokedCount: await revokeAllTokens(deps, actor, query, except) } };
  },

  async revokeAccessTokens(deps, { caller, actor, query, body }) {
    const { excludeCurrent = true, dryRun = false, ...selection } = body;
    const exceptId = excludeCurrent ? caller.tokenId : null;
    const revoked = await revokeTokens(deps, actor, query, toSelection(selection), { exceptId, dryRun });
    const { count: revokedCount, notFound: notFoundCount, tokens } = revoked;
    return { body: { revokedCount, notFoundCount, dryRun, tokens: tokens.map(toWireToken) } };
  },

  async transferAccessTokens(deps, { caller, actor, query: named, body }) {
    const { to: toId, cutScopes = false, excludeCurrent = true, dryRun = false, ...selection } = body;
    const exceptId = excludeCurrent ? caller.tokenId : null;
    const wish = { toId, cutScopes, exceptId, dryRun };
    const transferred = await transferTokens(deps, actor, named, toSelection(selection), wish);
    const { count: transferredCount, cut: cutCount, notFound: notFoundCount, complete, tokens } = transferred;
    return {
      body: { transferredCount, cutCount, notFoundCount, complete, dryRun, tokens: tokens.map(toWireToken) },
    };
  },

  async getAccessToken(deps, { caller, path, query }) {
    const owner = await actingOwner(deps.db.read, caller, query, 'read');
    return toAnswer(await getToken(deps, owner, path.token_id));
  },

  async updateAccessToken(deps, { actor, path, query, body, conditions }) {
    return toAnswer(await editToken(deps, actor, query, path.token_id, body, conditions));
  },

  async revokeAccessToken(deps, { actor, path, query, conditions }) {
    await revokeToken(deps, actor, query, path.token_id, conditions);
    return {};
  },

  async rotateAccessToken(deps, { caller, actor, path, query, body, conditions, idempotency, raw }) {
    const issued = await rotateToken(deps, actor, query, path.token_id, { ...body, conditions }, idempotency);
    return withCookie(deps, caller, raw, issued);
  },

  async getCurrentAccessToken(deps, { caller }) {
    return toAnswer(await getToken(deps, caller, caller.tokenUuid));
  },

  async revokeCurrentAccessToken(deps, { caller, actor, conditions }) {
    await revokeToken(deps, actor, {}, caller.tokenUuid, conditions);
    return {};
  },

  async rotateCurrentAccessToken(deps, { caller, actor, body, conditions, idempotency, raw }) {
    const issued = await rotateToken(deps, actor, {}, caller.tokenUuid, { ...body, conditions }, idempotency);
    return withCookie(deps, caller, raw, issued);
  },
} satisfies Partial<Handlers>;

function toFilter({ tokenType, q, state, scope, neverUsed, ...instants }: WireFilter): TokenFilter {
  // The contract's format has checked the text.
  const times = Object.entries(instants).map(([name, text]): [string, number | undefined] => [
    name,
    parseDateTime(text),
  ]);
  return { type: tokenType, q, state, scope, neverUsed, ...Object.fromEntries<number | undefined>(times) };
}

function toSelection({ ids, filter }: { ids?: string[]; filter?: WireFilter }): Selection {
  // The contract allows exactly one of the two.
  return filter === undefined ? { uuids: distinct(ids ?? []) } : { filter: toFilter(filter) };
}

function distinct(ids: string[]): string[] {
  return [...new Set(ids.map((id) => id.toLowerCase()))];
}

function toAnswer(token: VersionedToken) {
  return { headers: { ETag: entityTagOf(token) }, body: toWireToken(token) };
}

function toIssued({ plaintext, token }: IssuedToken): { headers: { ETag: string }; body: IssuedAccessToken } {
  return { headers: { ETag: entityTagOf(token) }, body: { plaintext: textOf(plaintext), token: toWireToken(token) } };
}

/** The answer to a rotation. A browser's session that rotated itself also gets the new secret as its cookie. */
function withCookie(deps: Deps, caller: Caller, raw: IncomingMessage, issued: IssuedToken) {
  const { headers, body } = toIssued(issued);
  const { uuid, type, expiresAt } = issued.token;
  if (!caller.hasCookie || type !== 'session' || uuid !== caller.tokenUuid || expiresAt === null) {
    return { headers, body };
  }
  const maxAge = Math.max(0, Math.floor((expiresAt - deps.now()) / 1_000));
  return { headers: { ...headers, ...sessionCookie(deps, raw, issued.plaintext, maxAge) }, body };
}
