import { answered, asked, B, both, credentialOf, json, lastOf, parse, sent, told } from '../making.js';
import { bare, type Faults, refusal, tokenNow, tokensIn } from './parts.js';

// One, all or many tokens are revoked.

export const REVOCATIONS: Faults = {
  'revoking by id answers 204 and revokes nothing': () => ({
    async ask(each, service) {
      if (each.operation !== 'revokeAccessToken') return undefined;
      return (await tokenNow(each, service)) === undefined ? undefined : bare(204);
    },
  }),
  'a revocation is carried out two seconds later': () => ({
    async ask(each, service) {
      if (each.operation !== 'revokeAccessToken' || (await tokenNow(each, service)) === undefined) return undefined;
      setTimeout(() => {
        void service('DELETE', each.path, { as: credentialOf(each) }).catch(() => undefined);
      }, 2000);
      return bare(204);
    },
  }),
  'revoking again is 404': () => ({
    async ask(each, service) {
      if (each.operation !== 'revokeAccessToken') return undefined;
      return (await tokenNow(each, service))?.revokedAt ? refusal(404, 'not_found') : undefined;
    },
  }),
  'revoking a private token again is 204': () => {
    const gone = new Set<string>();
    return answered('revokePrivateToken', (reply, { path }) => {
      if (reply.status === 204) gone.add(path);
      else if (reply.status === 404 && gone.has(path)) Object.assign(reply, bare(204));
    });
  },
  'revoking again moves the instant': () => {
    const times = new Map<string, string[]>();
    return both(
      answered('revokeAccessToken', ({ status }, each) => {
        const id = lastOf(each).toLowerCase();
        if (status === 204) times.set(id, [...(times.get(id) ?? []), new Date().toISOString()]);
      }),
      told('getAccessToken listAccessTokens', (body) => {
        for (const token of tokensIn(body)) {
          const all = times.get(String(token.id)) ?? [];
          if (all.length > 1) token.revokedAt = all.at(-1) ?? null;
        }
      }),
    );
  },
  'a revoked token is shown as never revoked': () =>
    told('getAccessToken', (body) => {
      body.revokedAt = null;
    }),
  'ending the token in use answers 401': () =>
    answered('revokeCurrentAccessToken', (reply) => {
      if (reply.status === 204) Object.assign(reply, refusal(401, 'unauthorized'));
    }),
  'revoking everything takes the token in use along where nothing is said': () =>
    asked('revokeAllAccessTokens', ({ query }) => {
      if (!query.has('exclude_current')) query.set('exclude_current', 'false');
    }),
  'revoking everything spares sessions': () => ({
    async ask(each, service) {
      const keep = each.query.get('exclude_current') ?? 'true';
      if (each.operation !== 'revokeAllAccessTokens' || !/^(true|false)$/.test(keep)) return undefined;
      const body = { filter: { tokenType: 'pat' }, excludeCurrent: keep === 'true' };
      const reply = await service('POST', `${B}/revoke`, { as: credentialOf(each), body });
      return reply.status === 200 ? json(200, { revokedCount: parse(reply.text)?.revokedCount }) : undefined;
    },
  }),
  'revoking everything counts what was revoked before': () => {
    let before = 0;
    return told('revokeAllAccessTokens', (body) => {
      before += body.revokedCount ?? 0;
      body.revokedCount = before;
    });
  },
  'revoking everything counts the token that survives': () =>
    told('revokeAllAccessTokens', (body, { query }) => {
      if (query.get('exclude_current') !== 'false') body.revokedCount = (body.revokedCount ?? 0) + 1;
    }),
  'a dry run revokes': () =>
    both(
      sent('revokeAccessTokens', (body, each) => {
        each.headers['x-dry'] = String(body.dryRun === true);
        if (body.dryRun === true) body.dryRun = false;
      }),
      told('revokeAccessTokens', (body, { headers }) => {
        if (headers['x-dry'] === 'true') body.dryRun = true;
      }),
    ),
  'a dry run counts nothing': () =>
    told('revokeAccessTokens', (body) => {
      if (body.dryRun === true) Object.assign(body, { revokedCount: 0, tokens: [] });
    }),
  'a bulk takes the token in use along where nothing is said': () =>
    sent('revokeAccessTokens', (body) => {
      body.excludeCurrent ??= false;
    }),
  'a bulk forgets the ids after the hundredth': () =>
    sent('revokeAccessTokens', (body) => {
      if (Array.isArray(body.ids)) body.ids = body.ids.slice(0, 100);
    }),
  'a bulk does not know ids in capitals': () =>
    sent('revokeAccessTokens', (body) => {
      if (Array.isArray(body.ids))
        body.ids = body.ids.map((id) => (/^[0-9A-F-]{36}$/.test(id) ? '00000000-0000-4000-8000-000000000000' : id));
    }),
  'a bulk with an unknown id is 404': () =>
    answered('revokeAccessTokens', (reply) => {
      if (parse(reply.text)?.notFoundCount) Object.assign(reply, refusal(404, 'not_found'));
    }),
  'a filter of a bulk forgets when tokens were created': () =>
    sent('revokeAccessTokens', (body) => {
      const rest = Object.entries(body.filter ?? {}).filter(([name]) => name !== 'createdBefore');
      if (rest.length > 0) body.filter = Object.fromEntries(rest);
    }),
  'a bulk by an empty filter revokes everything': () =>
    sent('revokeAccessTokens', (body) => {
      if (body.filter && Object.keys(body.filter).length === 0) body.filter = { createdAfter: '2000-01-01T00:00:00Z' };
    }),
  'a bulk shows its tokens as they were before': () =>
    told('revokeAccessTokens', (body) => {
      for (const token of body.tokens ?? []) token.revokedAt = null;
    }),
  'tokens that were revoked before are not found by a bulk': () =>
    told('revokeAccessTokens', (body, { text }) => {
      const { ids } = parse(text) ?? {};
      if (Array.isArray(ids)) body.notFoundCount = ids.length - (body.revokedCount ?? 0);
    }),
};
