import { answered, asAdmin, asked, B, credentialOf, json, lastOf, parse, rowsOf, stale, told } from '../making.js';
import type { Body } from '../proxy.js';
import { type Faults, one, repeat } from './parts.js';

// Pages, order, counts and links.

export const LISTS: Faults = {
  'the second page begins with the last row of the first': () => {
    const lasts = new Map<string, Body>();
    return told('listAccessTokens', (body, { query }) => {
      const before = lasts.get(query.get('cursor') ?? '');
      const last = body.items?.at(-1);
      if (body.nextCursor && last) lasts.set(body.nextCursor, last);
      if (before) body.items = [before, ...(body.items ?? []).slice(0, -1)];
    });
  },
  'every further page of private tokens begins one row too late': () =>
    told('listPrivateTokens', (body, { query }) => {
      if (Number(query.get('page') ?? 1) > 1) body.results?.shift();
    }),
  'the last page has a cursor, which leads to an empty one': () => ({
    ask: ({ operation, query }) =>
      operation === 'listUsers' && query.get('cursor') === 'AAAA'
        ? json(200, { items: [], nextCursor: null })
        : undefined,
    tell(reply, each) {
      const body = each.operation === 'listUsers' && reply.status === 200 ? parse(reply.text) : undefined;
      if (body?.nextCursor === null && body.items?.length !== 0)
        reply.text = JSON.stringify({ ...body, nextCursor: 'AAAA' });
    },
  }),
  'a full page has no cursor where one row is left': () =>
    told('listAccessTokens', async (body, each, service) => {
      if (!body.nextCursor) return;
      each.query.set('cursor', body.nextCursor);
      const rest = parse((await repeat(each, service)).text);
      if (rest?.items?.length === 1) body.nextCursor = null;
    }),
  'count is that of the page': () =>
    told('listPrivateTokens', (body) => {
      body.count = rowsOf(body).length;
    }),
  'count is that of all tokens where a text is searched': () =>
    told('listPrivateTokens', async (body, each, service) => {
      if (!each.query.get('q')) return;
      each.query.delete('q');
      each.query.delete('page');
      body.count = parse((await repeat(each, service)).text)?.count ?? 0;
    }),
  'next is a relative address': () =>
    told('listPrivateTokens', (body) => {
      body.next = body.next?.replace(/^https?:\/\/[^/]+/, '') ?? null;
    }),
  'next forgets what is searched': () =>
    told('listPrivateTokens', (body) => {
      body.next = body.next?.replace(/([?&])q=[^&]*&?/, '$1') ?? null;
    }),
  'previous forgets the size of the pages': () =>
    told('listPrivateTokens', (body) => {
      body.previous = body.previous?.replace(/([?&])page_size=\d+&?/, '$1') ?? null;
    }),
  'the second page has no previous one': () =>
    told('listPrivateTokens', (body, { query }) => {
      if (query.get('page') === '2') body.previous = null;
    }),
  'equal names are in another order each time': () =>
    told('listPrivateTokens', (body, { query, count }) => {
      if (!/^-?name$/.test(query.get('ordering') ?? '') || count % 2 === 0) return;
      const rows = rowsOf(body);
      for (let at = 1; at < rows.length; at++) {
        const [before, after] = rows.slice(at - 1, at + 1);
        if (before && after && before.name === after.name) rows.splice(at - 1, 2, after, before);
      }
    }),
  'private tokens are listed oldest first where no order is asked for': () =>
    asked('listPrivateTokens', ({ query }) => {
      if (!query.has('ordering')) query.set('ordering', 'id');
    }),
  'ordering by expiration descends when it should ascend': () =>
    asked('listPrivateTokens', ({ query }) => {
      if (query.get('ordering') === 'expiration_time') query.set('ordering', '-expiration_time');
    }),
  'tokens that were never used come first among the last used': () =>
    told('listAccessTokens', (body, { query }) => {
      if (query.get('sort') === '-lastUsedAt')
        body.items?.sort((a, b) => Number(b.lastUsedAt === null) - Number(a.lastUsedAt === null));
    }),
  'sorting by name descends from the second page on': () =>
    told('listAccessTokens', (body, { query }) => {
      if (query.get('sort') === 'name' && query.has('cursor'))
        body.items?.sort((a, b) => (b.name ?? '').localeCompare(a.name ?? ''));
    }),
  // A cursor is good for the same caller, filters and order only.
  'a cursor goes on with its own filters whatever is sent': () => {
    const made = new Map<string, string>();
    return {
      ask({ operation, query }) {
        const cursor = query.get('cursor');
        const before = made.get(cursor ?? '');
        if (operation !== 'listAccessTokens' || cursor === null || before === undefined) return;
        for (const name of [...query.keys()]) query.delete(name);
        for (const [name, value] of new URLSearchParams(before)) query.set(name, value);
        query.set('cursor', cursor);
      },
      tell(reply, { operation, query }) {
        const next = operation === 'listAccessTokens' ? parse(reply.text)?.nextCursor : undefined;
        if (next) made.set(next, query.toString());
      },
    };
  },
  "a cursor shows its first caller's tokens to whoever sends it": () => {
    const owners = new Map<string, string>();
    return {
      ask(each) {
        const owner = each.operation === 'listAccessTokens' ? owners.get(each.query.get('cursor') ?? '') : undefined;
        if (owner !== undefined && credentialOf(each) !== undefined) each.headers.authorization = owner;
      },
      tell(reply, each) {
        const next = each.operation === 'listAccessTokens' ? parse(reply.text)?.nextCursor : undefined;
        const as = credentialOf(each);
        if (next && as !== undefined) owners.set(next, as);
      },
    };
  },
  'a cursor that is none gives the first page': () =>
    answered('listUsers', async (reply, each, service) => {
      if (reply.status !== 422 || !each.query.has('cursor')) return;
      each.query.delete('cursor');
      Object.assign(reply, await repeat(each, service));
    }),
  'of a repeated limit the last one counts': () =>
    asked('listAccessTokens', ({ query }) => {
      const last = query.getAll('limit').at(-1);
      if (last !== undefined) query.set('limit', last);
    }),
  'pages of private tokens know pageSize, and ignore it': () =>
    asked('listPrivateTokens', ({ query }) => {
      query.delete('pageSize');
    }),
  'numbers in a query may have an exponent': () =>
    asked('listPrivateTokens', ({ query }) => {
      for (const name of ['page', 'page_size']) {
        const text = query.get(name) ?? '';
        if (/^\d+e\d$/i.test(text)) query.set(name, String(Number(text)));
      }
    }),
  'flags in a query may be 1 and 0': () =>
    asked('listAccessTokens', ({ query }) => {
      for (const name of ['includeRevoked', 'neverUsed']) {
        if (query.get(name) === '1') query.set(name, 'true');
        if (query.get(name) === '0') query.set(name, 'false');
      }
    }),
  'a page of 200 rows is refused': () =>
    asked('listUsers', ({ query }) =>
      query.get('limit') === '200'
        ? json(422, { detail: [{ loc: ['query', 'limit'], msg: 'Input should be less', type: 'less_than_equal' }] })
        : undefined,
    ),
  'a page of more than 200 private tokens has 200': () =>
    asked('listPrivateTokens', ({ query }) => {
      if (/^\d{3,9}$/.test(query.get('page_size') ?? '') && Number(query.get('page_size')) > 200)
        query.set('page_size', '200');
    }),
  'a limit of 0 is taken as 50': () =>
    asked('listAccessTokens', ({ query }) => {
      if (query.get('limit') === '0') query.delete('limit');
    }),
  'a page past the end is empty': () =>
    answered('listPrivateTokens', (reply) => {
      if (reply.status === 404) Object.assign(reply, json(200, { count: 0, next: null, previous: null, results: [] }));
    }),
  'a search without results is 404': () =>
    answered('listPrivateTokens', (reply) => {
      if (parse(reply.text)?.count === 0) Object.assign(reply, json(404, { detail: 'Invalid page.' }));
    }),
  'a list has no lastUsedAt where it is null': () =>
    told('listAccessTokens', (body) => {
      for (const row of rowsOf(body)) if (row.lastUsedAt === null) delete row.lastUsedAt;
    }),
  'private tokens that have expired leave the list': () =>
    told('listPrivateTokens', (body) => {
      const kept = rowsOf(body).filter(({ expiration_time }) => Date.parse(expiration_time ?? '') > Date.now());
      body.count = (body.count ?? 0) - (rowsOf(body).length - kept.length);
      body.results = kept;
    }),
  'a private token without end is listed with null': () =>
    told('listPrivateTokens', (body) => {
      for (const row of rowsOf(body)) if (row.expiration_time?.startsWith('9999-')) row.expiration_time = null;
    }),
  'a private token stays in the list after its revocation': () => {
    const seen = new Map<string, Body>();
    const gone = new Set<string>();
    return {
      tell(reply, each) {
        if (each.operation === 'revokePrivateToken' && reply.status === 204)
          gone.add(each.path.split('/').at(-2) ?? '');
        const body = each.operation === 'listPrivateTokens' && reply.status === 200 ? parse(reply.text) : undefined;
        if (body === undefined) return;
        for (const row of rowsOf(body)) seen.set(String(row.id), row);
        const kept = [...gone].flatMap((id) => seen.get(id) ?? []);
        if (body.next === null) body.results?.push(...kept);
        reply.text = JSON.stringify({ ...body, count: (body.count ?? 0) + kept.length });
      },
    };
  },
  'lists are kept for two seconds': () => stale('listPrivateTokens listAccessTokens', 2000),
  'every thirtieth list lacks a row': () =>
    told('listAccessTokens', (body, { count }) => {
      if (count % 30 === 0) body.items?.pop();
    }),
  'users are listed newest first': () =>
    told('listUsers', (body) => {
      body.items?.reverse();
    }),
  'users who are disabled are not listed': () =>
    told('listUsers', (body) => {
      body.items = rowsOf(body).filter(({ disabled }) => disabled !== true);
    }),
  'a user who is disabled cannot be looked at': () =>
    answered('getUser', (reply) => {
      if (parse(reply.text)?.disabled === true)
        Object.assign(reply, json(404, { detail: 'No such user.', code: 'not_found' }));
    }),
  "the list of another owner's tokens is the caller's own": () =>
    asked('listAccessTokens', ({ query }) => {
      query.delete('owner');
    }),
  "the caller's own id as owner needs users:admin": () => ({
    async ask(each, service) {
      const owner = each.operation === 'listAccessTokens' ? each.query.get('owner') : null;
      const as = credentialOf(each);
      if (owner === null || as === undefined) return undefined;
      const me = parse((await service('GET', '/api/v1/auth/me', { as })).text)?.user;
      return String(me?.id) === owner && me?.isAdmin === false
        ? json(403, { detail: 'The token lacks a scope: users:admin.', code: 'insufficient_scope' })
        : undefined;
    },
  }),
  "whoever sends another's id as owner sees that one's tokens": () => {
    const admin = asAdmin();
    return answered('listAccessTokens getAccessToken', async (reply, each, service) => {
      if (reply.status !== 403 || !each.query.has('owner')) return;
      const id = each.operation === 'getAccessToken' ? `/${lastOf(each)}` : '';
      const again = await service('GET', `${B}${id}?${each.query.toString()}`, { as: await admin(service) });
      if (again.status === 200) Object.assign(reply, again);
    });
  },
  'a condition makes a list 304': () =>
    answered('listAccessTokens', (reply, { headers }) => {
      if (reply.status === 200 && one(headers['if-modified-since']) !== '') {
        reply.status = 304;
        reply.text = '';
      }
    }),
};
