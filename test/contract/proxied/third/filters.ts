import { asked, parse, rowsOf, told } from '../making.js';
import type { Body } from '../proxy.js';
import { DAY, type Faults, repeat } from './parts.js';

// Searches and filters.

const isPast = ({ expiresAt }: Body) => typeof expiresAt === 'string' && Date.parse(expiresAt) <= Date.now();

export const FILTERS: Faults = {
  'a percent sign stands for any text in a search': () =>
    asked('listPrivateTokens', ({ query }) => {
      const q = query.get('q');
      if (q !== null) query.set('q', q.replaceAll('%', ''));
    }),
  'searching private tokens minds the letter case': () =>
    told('listPrivateTokens', (body, { query }) => {
      body.results = rowsOf(body).filter(({ name }) => name?.includes(query.get('q') ?? ''));
      body.count = Math.min(body.count ?? 0, body.next || body.previous ? Infinity : body.results.length);
    }),
  'a search does not look at descriptions': () =>
    told('listAccessTokens', (body, { query }) => {
      const q = query.get('q')?.toLowerCase();
      if (q !== undefined)
        body.items = rowsOf(body).filter(({ name = '', tokenPrefix = '' }) =>
          `${name}\n${tokenPrefix}`.toLowerCase().includes(q),
        );
    }),
  'users are found by the beginning of their address alone': () =>
    told('listUsers', (body, { query }) => {
      const q = query.get('q')?.toLowerCase();
      if (q !== undefined) body.items = rowsOf(body).filter(({ email }) => email?.startsWith(q));
    }),
  'a search for a whole address finds no user': () =>
    told('listUsers', (body, { query }) => {
      if (query.get('q')?.includes('@')) body.items = [];
    }),
  'a filter by scope takes the beginning of one': () =>
    told('listAccessTokens', async (body, each, service) => {
      const scope = each.query.get('scope');
      if (scope === null || each.query.has('cursor')) return;
      each.query.delete('scope');
      const all = parse((await repeat(each, service)).text);
      if (all !== undefined)
        body.items = rowsOf(all).filter(({ scopes = [] }) => scopes.some((s) => s.startsWith(scope)));
    }),
  'createdAfter keeps a token of that very instant': () =>
    asked('listAccessTokens', ({ query }) => {
      const at = Date.parse(query.get('createdAfter') ?? '');
      if (Number.isFinite(at)) query.set('createdAfter', new Date(at - 1).toISOString());
    }),
  'expiresAfter keeps tokens that never expire': () =>
    told('listAccessTokens', async (body, each, service) => {
      const after = Date.parse(each.query.get('expiresAfter') ?? '');
      if (!Number.isFinite(after) || each.query.has('cursor')) return;
      each.query.delete('expiresAfter');
      const all = parse((await repeat(each, service)).text);
      if (all !== undefined)
        body.items = rowsOf(all).filter(({ expiresAt }) => !expiresAt || Date.parse(expiresAt) > after);
    }),
  'createdBefore ignores its offset': () =>
    asked('listAccessTokens', ({ query }) => {
      const at = query.get('createdBefore');
      if (at !== null) query.set('createdBefore', at.replace(/[+-]\d\d:\d\d$/, 'Z'));
    }),
  'neverUsed=false keeps everything': () =>
    asked('listAccessTokens', ({ query }) => {
      if (query.get('neverUsed') === 'false') query.delete('neverUsed');
    }),
  'disabled tokens are listed as active': () =>
    told('listAccessTokens', async (body, each, service) => {
      if (each.query.get('state') !== 'active' || each.query.has('cursor')) return;
      each.query.delete('state');
      const all = parse((await repeat(each, service)).text);
      if (all !== undefined) body.items = rowsOf(all).filter((row) => row.revokedAt === null && !isPast(row));
    }),
  'tokens that end within 30 days are expiring': () =>
    told('listAccessTokens', async (body, each, service) => {
      if (each.query.get('state') !== 'expiring' || each.query.has('cursor')) return;
      each.query.set('state', 'active');
      const all = parse((await repeat(each, service)).text);
      if (all !== undefined)
        body.items = rowsOf(all).filter(({ expiresAt }) => Date.parse(expiresAt ?? '') < Date.now() + 30 * DAY);
    }),
  'includeRevoked=true lists revoked tokens alone': () =>
    told('listAccessTokens', (body, { query }) => {
      if (query.get('includeRevoked') === 'true')
        body.items = rowsOf(body).filter(({ revokedAt }) => revokedAt !== null);
    }),
  'sessions are listed only where they are asked for': () =>
    asked('listAccessTokens', ({ query }) => {
      if (!query.has('tokenType') && !query.has('cursor')) query.set('tokenType', 'pat');
    }),
};
