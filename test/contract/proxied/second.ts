import {
  A,
  answered,
  asked,
  B,
  both,
  credentialOf,
  json,
  lastOf,
  parse,
  refused,
  rowsOf,
  sent,
  tokenIn,
  told,
  trusted,
  USUAL,
} from './making.js';
import type { Body, Fault, Reply } from './proxy.js';

// Written from openapi.yaml alone, sentence by sentence: each breaks one thing that the document says.

const ISSUED = 'createAccessToken rotateAccessToken';
const LIST_PARAMETERS = new Set(
  'tokenType includeRevoked q state scope createdAfter createdBefore expiresAfter expiresBefore lastUsedAfter lastUsedBefore neverUsed sort owner limit cursor'.split(
    ' ',
  ),
);
const VERIFY = 'verifyAccessToken verifyAccessTokens';

const queryOf = (operation: string, change: (query: URLSearchParams) => void): Fault =>
  asked(operation, ({ query }) => {
    change(query);
  });

const replace = (query: URLSearchParams, name: string, change: (value: string) => string | undefined) => {
  const value = query.get(name);
  if (value === null) return;
  const changed = change(value);
  if (changed === undefined) query.delete(name);
  else query.set(name, changed);
};

const eachRow = (operation: string, change: (row: Body) => unknown): Fault =>
  told(operation, (body) => {
    rowsOf(body).forEach(change);
  });

const keeps = (operation: string, keep: (row: Body, query: URLSearchParams) => boolean): Fault =>
  told(operation, (body, { query }) => {
    if (body.items) body.items = body.items.filter((row) => keep(row, query));
    if (body.results) body.results = body.results.filter((row) => keep(row, query));
  });

const headerOf = (operations: string, change: (headers: Reply['headers'], status: number) => unknown): Fault =>
  answered(operations, ({ headers, status }) => {
    change(headers, status);
  });

const every = (
  change: (reply: Reply, asked: { path: string; method: string; headers: Reply['headers'] }) => void,
): Fault => ({
  tell(reply, each) {
    change(reply, each);
  },
});

const instead = (operations: string, from: number, to: Reply): Fault =>
  answered(operations, (reply) => {
    if (reply.status === from) Object.assign(reply, structuredClone(to));
  });

const verdicts = (change: (verdict: Body, request: Body) => unknown): Fault =>
  told(VERIFY, (body, each) => {
    const request = parse(each.text) ?? {};
    const { results = [body] } = body;
    results.forEach((verdict, index) => {
      change(verdict, request.tokens?.[index] ?? request);
    });
  });

export const SECOND: Record<string, () => Fault> = {
  // Private tokens.
  'private: revoked tokens stay in the list': () => {
    const gone: Body[] = [];
    return both(
      asked('revokePrivateToken', async (each, service) => {
        const { text } = await service('GET', `${A}?page_size=200`, { as: credentialOf(each) });
        const row = rowsOf(parse(text) ?? {}).find(({ id }) => String(id) === each.path.split('/').at(-2));
        if (row) gone.push(row);
      }),
      told('listPrivateTokens', (body) => {
        if (!gone.length || body.next !== null) return;
        body.results?.push(...gone.slice(0, 1));
        body.count = (body.count ?? 0) + 1;
      }),
    );
  },
  'private: a page past the end is empty': () =>
    instead('listPrivateTokens', 404, json(200, { count: 0, next: null, previous: null, results: [] })),
  'private: an empty q is refused': () =>
    asked('listPrivateTokens', ({ query }) =>
      query.get('q') === '' ? json(400, { q: ['String should have at least 1 character'] }) : undefined,
    ),
  'private: % in q is a wildcard': () =>
    queryOf('listPrivateTokens', (query) => {
      replace(query, 'q', (q) => q.replaceAll('%', ''));
    }),
  'private: equal names are in any order': () => {
    let turn = 0;
    return told('listPrivateTokens', (body, { query }) => {
      if (query.get('ordering') === 'name' && turn++ % 2 === 0) body.results?.reverse();
    });
  },
  'private: page starts at 0': () =>
    queryOf('listPrivateTokens', (query) => {
      replace(query, 'page', (page) => (/^\d{1,9}$/.test(page) ? String(Number(page) + 1) : page));
    }),
  'private: page_size is at most 100': () =>
    queryOf('listPrivateTokens', (query) => {
      replace(query, 'page_size', (size) => (Number(size) > 2 ? '2' : size));
    }),
  'private: next is relative': () =>
    told('listPrivateTokens', (body) => (body.next = body.next?.replace(/^https?:\/\/[^/]+/, '') ?? null)),
  'private: next is there on the last page': () =>
    told('listPrivateTokens', (body, { query }) => {
      body.next ??= `http://127.0.0.1:8080${A}?page=${String(Number(query.get('page') ?? 1) + 1)}`;
    }),
  'private: count leaves expired tokens out': () =>
    told('listPrivateTokens', (body) => (body.count = Math.max(0, (body.count ?? 0) - 1))),
  'private: the plaintext is in the list': () =>
    told(
      'createPrivateToken listPrivateTokens',
      (() => {
        let data: string | undefined;
        return (body: Body) => {
          data = body.data ?? data;
          for (const row of rowsOf(body).slice(0, 1)) if (data !== undefined) row.name = data;
        };
      })(),
    ),
  'private: an expiration in the past is taken': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.expiration_time === 'string' && Date.parse(body.expiration_time) < Date.now())
        body.expiration_time = '2040-01-01T00:00:00Z';
    }),
  'private: milliseconds are lost': () =>
    told('createPrivateToken listPrivateTokens', (body) => {
      for (const each of [body, ...rowsOf(body)])
        if (each.expiration_time) each.expiration_time = each.expiration_time.replace(/\.\d+Z$/, '.000Z');
    }),
  'private: an instant without a zone is taken': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.expiration_time === 'string' && /T\d\d:\d\d:\d\d(\.\d+)?$/.test(body.expiration_time))
        body.expiration_time += 'Z';
    }),
  'private: a second revocation is 204': () => {
    const gone = new Set<string>();
    return answered('revokePrivateToken', (reply, { path, headers }) => {
      const key = path;
      if (reply.status === 204) gone.add(key);
      else if (reply.status === 404 && gone.has(key) && headers.authorization !== undefined) reply.status = 204;
    });
  },
  'private: revoking is 200 with a body': () => instead('revokePrivateToken', 204, json(200, { detail: 'done' })),
  'private: 400 is told as 422': () =>
    answered('createPrivateToken', (reply) => {
      if (reply.status === 400) reply.status = 422;
    }),
  'private: faults are texts instead of lists': () =>
    refused('createPrivateToken', (body) => {
      for (const [name, value] of Object.entries(body))
        if (Array.isArray(value)) Object.assign(body, { [name]: String(value[0]) });
    }),
  'private: a name of nothing but spaces is taken': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.name === 'string' && body.name !== '' && body.name.trim() === '') body.name = 'blank';
    }),
  'private: names must be unique': () => {
    const names = new Set<string>();
    return asked('createPrivateToken', (each) => {
      const { name, expiration_time: end } = parse(each.text) ?? {};
      if (typeof name !== 'string' || end === undefined || each.headers.authorization === undefined) return undefined;
      if (names.has(name)) return json(400, { name: ['This name is taken'] });
      names.add(name);
      return undefined;
    });
  },
  'private: what one API creates the other does not list': () => {
    const made = new Set<string>();
    return both(
      told('createPrivateToken', ({ data }) => {
        if (data !== undefined) made.add(data.slice(0, 12));
      }),
      keeps('listAccessTokens', ({ tokenPrefix = '' }) => !made.has(tokenPrefix)),
    );
  },

  // Access tokens: lists.
  'list: oldest first': () =>
    queryOf('listAccessTokens', (query) => {
      if (!query.has('sort') && !query.has('cursor')) query.set('sort', 'createdAt');
    }),
  'list: expired tokens are left out': () =>
    keeps('listAccessTokens', ({ expiresAt }) => !expiresAt || Date.parse(expiresAt) > Date.now()),
  'list: sessions are left out': () => keeps('listAccessTokens', ({ tokenType }) => tokenType !== 'session'),
  'list: includeRevoked lists the revoked alone': () =>
    keeps('listAccessTokens', ({ revokedAt }, query) => query.get('includeRevoked') !== 'true' || revokedAt !== null),
  'list: revoked tokens lose their instant': () => eachRow('listAccessTokens', (row) => (row.revokedAt = null)),
  'list: q does not find prefixes': () =>
    keeps('listAccessTokens', ({ name = '', description = '' }, query) =>
      `${name} ${description}`.toLowerCase().includes((query.get('q') ?? '').toLowerCase()),
    ),
  'list: _ in q is a wildcard': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'q', (q) => q.replaceAll('_', '') || 'a');
    }),
  'list: state=expired lists active tokens': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'state', (state) => (state === 'expired' ? 'active' : state));
    }),
  'list: state=active lists disabled tokens too': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'state', (state) => (state === 'active' ? undefined : state));
    }),
  'list: state=expiring is state=active': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'state', (state) => (state === 'expiring' ? 'active' : state));
    }),
  'list: state=revoked needs includeRevoked': () =>
    keeps('listAccessTokens', (_, query) => query.get('state') !== 'revoked' || query.get('includeRevoked') === 'true'),
  'list: scope matches a part': () =>
    both(
      queryOf('listAccessTokens', (query) => {
        const scope = query.get('scope');
        if (scope === null || !/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/.test(scope)) return;
        query.delete('scope');
      }),
    ),
  'list: scope loses rows': () =>
    keeps('listAccessTokens', ({ scopes = [] }, query) => !query.has('scope') || scopes.length < 2),
  'list: createdAfter keeps what was created before': () =>
    queryOf('listAccessTokens', (query) => {
      const instant = query.get('createdAfter');
      if (instant === null || query.has('createdBefore')) return;
      query.delete('createdAfter');
      query.set('createdBefore', instant);
    }),
  'list: createdBefore is ignored': () =>
    queryOf('listAccessTokens', (query) => {
      query.delete('createdBefore');
    }),
  'list: expiresAfter keeps those that never expire': () =>
    told('listAccessTokens', async (body, each, service) => {
      if (!each.query.has('expiresAfter')) return;
      const { text } = await service('GET', `${B}?limit=200`, { as: credentialOf(each) });
      body.items?.push(
        ...rowsOf(parse(text) ?? {})
          .filter(({ expiresAt }) => expiresAt === null)
          .slice(0, 1),
      );
    }),
  'list: expiresBefore is ignored': () =>
    queryOf('listAccessTokens', (query) => {
      query.delete('expiresBefore');
    }),
  'list: lastUsedAfter is ignored': () =>
    queryOf('listAccessTokens', (query) => {
      query.delete('lastUsedAfter');
    }),
  'list: lastUsedBefore keeps what was never used': () =>
    queryOf('listAccessTokens', (query) => {
      query.delete('lastUsedBefore');
    }),
  'list: neverUsed=false lists all': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'neverUsed', (flag) => (flag === 'false' ? undefined : flag));
    }),
  'list: filters are joined by or': () =>
    queryOf('listAccessTokens', (query) => {
      if (query.has('tokenType') && query.has('q')) query.delete('q');
    }),
  'list: -name is name': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'sort', (sort) => sort.replace('-name', 'name'));
    }),
  'list: -expiresAt is expiresAt': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'sort', (sort) => sort.replace('-expiresAt', 'expiresAt'));
    }),
  'list: lastUsedAt orders the other way': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'sort', (sort) =>
        sort === 'lastUsedAt' ? '-lastUsedAt' : sort === '-lastUsedAt' ? 'lastUsedAt' : sort,
      );
    }),
  'list: nextCursor repeats the last row': () =>
    told(
      'listAccessTokens',
      (() => {
        let last: Body | undefined;
        return (body: Body, { query }: { query: URLSearchParams }) => {
          const rows = rowsOf(body);
          if (query.has('cursor') && last && rows.length > 0 && query.get('limit') === '3') rows.splice(0, 1, last);
          last = rows.at(-1);
        };
      })(),
    ),
  'list: nextCursor is an empty text at the end': () => told('listAccessTokens', (body) => (body.nextCursor ??= '')),
  'list: a cursor serves for any filter': () =>
    queryOf('listAccessTokens', (query) => {
      if (query.has('cursor')) for (const name of ['q', 'tokenType', 'state', 'sort']) query.delete(name);
    }),
  'list: a bad cursor is the first page': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'cursor', (cursor) => (/^[\w-]{20,}$/.test(cursor) ? cursor : undefined));
    }),
  'list: limit 200 gives 50': () =>
    queryOf('listAccessTokens', (query) => {
      replace(query, 'limit', (limit) => (Number(limit) > 2 && Number(limit) <= 200 ? '2' : limit));
    }),
  'list: unknown parameters are ignored': () =>
    queryOf('listAccessTokens', (query) => {
      for (const name of [...query.keys()]) if (!LIST_PARAMETERS.has(name)) query.delete(name);
    }),

  // Access tokens: create, get, edit.
  'create: names must be unique': () => {
    const names = new Set<string>();
    return asked('createAccessToken', (each) => {
      const { name } = parse(each.text) ?? {};
      if (typeof name !== 'string' || each.headers.authorization === undefined) return undefined;
      if (names.has(name)) return json(409, { detail: 'Taken.', code: 'email_taken' });
      names.add(name);
      return undefined;
    });
  },
  'create: scopes are not in alphabetical order': () =>
    told('createAccessToken getAccessToken', (body) => {
      for (const each of [tokenIn(body), body]) each.scopes?.reverse();
    }),
  'create: without scopes there are none': () =>
    sent('createAccessToken', (body) => {
      if (body.name !== undefined) body.scopes ??= [];
    }),
  'create: no scopes are all scopes': () =>
    sent('createAccessToken', (body) => {
      if (Array.isArray(body.scopes) && body.scopes.length === 0) delete body.scopes;
    }),
  'create: null for expiresInDays is 30 days': () =>
    sent('createAccessToken', (body) => {
      if (body.expiresInDays === null) body.expiresInDays = 30;
    }),
  'create: days have 23 hours': () =>
    told('createAccessToken', (body) => {
      const token = tokenIn(body);
      const { createdAt, expiresAt } = token;
      if (!createdAt || !expiresAt) return;
      const start = Date.parse(createdAt);
      token.expiresAt = new Date(start + ((Date.parse(expiresAt) - start) * 23) / 24).toISOString();
    }),
  'create: tokenPrefix is not the start': () =>
    told(ISSUED, (body) => {
      const token = tokenIn(body);
      if (token.tokenPrefix) token.tokenPrefix = `${token.tokenPrefix.slice(0, 11)}_`;
    }),
  'create: the plaintext has a bad checksum': () =>
    told('createAccessToken', (body) => {
      body.plaintext = body.plaintext?.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    }),
  'create: the new token is of type session': () =>
    told('createAccessToken', (body) => {
      tokenIn(body).tokenType = 'session';
    }),
  'create: lastUsedAt is the creation': () =>
    told('createAccessToken', (body) => {
      const token = tokenIn(body);
      token.lastUsedAt = token.createdAt ?? null;
    }),
  'create: metadata keys are in lower case': () =>
    told('createAccessToken getAccessToken updateAccessToken', (body) => {
      for (const each of [body, tokenIn(body)])
        if (each.metadata)
          each.metadata = Object.fromEntries(
            Object.entries(each.metadata).map(([name, value]) => [name.toLowerCase(), value]),
          );
    }),
  'create: tabs and line ends of a description are lost': () =>
    told('createAccessToken getAccessToken', (body) => {
      for (const each of [body, tokenIn(body)]) each.description = each.description?.replace(/[\t\r\n]/g, ' ');
    }),
  'create: ETag is that of no token': () =>
    headerOf('createAccessToken', (headers) => {
      if (headers.etag !== undefined) headers.etag = '"AAAAAAAAAAAAAAAA"';
    }),
  'get: a revoked token is 404': () =>
    answered('getAccessToken', (reply) => {
      if (parse(reply.text)?.revokedAt)
        Object.assign(reply, json(404, { detail: 'No such token.', code: 'not_found' }));
    }),
  'get: an id in upper case is not found': () =>
    asked('getAccessToken', (each) =>
      /[A-F]/.test(lastOf(each)) ? json(404, { detail: 'No such token.', code: 'not_found' }) : undefined,
    ),
  'get: ETag changes with every request': () => {
    let count = 0;
    return headerOf('getAccessToken', (headers, status) => {
      if (status === 200) headers.etag = `"${String(count++).padStart(16, '0')}"`;
    });
  },
  'get: ETag stays after an edit': () => {
    const tags = new Map<string, string>();
    return answered('getAccessToken', ({ headers, status }, each) => {
      if (status !== 200 || headers.etag === undefined) return;
      tags.set(each.path, tags.get(each.path) ?? headers.etag);
      headers.etag = tags.get(each.path);
    });
  },
  'get: the owner of a token is ignored': () =>
    queryOf('getAccessToken', (query) => {
      query.delete('owner');
    }),
  'edit: null for expiresInDays changes nothing': () =>
    sent('updateAccessToken', (body) => {
      if (body.expiresInDays === null && body.name === undefined) {
        delete body.expiresInDays;
        if (Object.keys(body).length === 0) body.disabled = false;
      }
    }),
  'edit: a lifetime counts from the creation': () =>
    told('updateAccessToken', (body, each) => {
      const { expiresInDays: days } = parse(each.text) ?? {};
      if (days) body.expiresAt = new Date(Date.parse(body.createdAt ?? '') + (days - 1) * 86_400_000).toISOString();
    }),
  'edit: scopes are added to': () =>
    asked('updateAccessToken', async (each, service) => {
      const body = parse(each.text);
      if (!Array.isArray(body?.scopes)) return;
      const { text } = await service('GET', each.path, { as: credentialOf(each) });
      body.scopes = [...new Set([...body.scopes, ...(parse(text)?.scopes ?? [])])];
      each.text = JSON.stringify(body);
    }),
  'edit: a revoked token is edited': () =>
    instead(
      'updateAccessToken',
      409,
      json(
        200,
        {
          id: '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b',
          name: 'x',
          description: '',
          metadata: {},
          scopes: [],
          tokenPrefix: 'lk_pat_4fGq1',
          tokenType: 'pat',
          createdAt: '2026-05-01T10:00:00.000Z',
          expiresAt: null,
          lastUsedAt: null,
          revokedAt: null,
          disabled: false,
          previousSecret: null,
        },
        { etag: '"AAAAAAAAAAAAAAAA"' },
      ),
    ),
  'edit: disabling does nothing': () =>
    sent('updateAccessToken', (body) => {
      if (body.disabled === true) body.disabled = false;
    }),
  'edit: previousSecret: null does nothing': () =>
    sent('updateAccessToken', (body) => {
      if (body.previousSecret === null) {
        delete body.previousSecret;
        if (Object.keys(body).length === 0) body.disabled = false;
      }
    }),
  'edit: a weak tag matches': () =>
    asked('updateAccessToken', ({ headers }) => {
      if (headers['if-match']?.startsWith('W/') === true) headers['if-match'] = headers['if-match'].slice(2);
    }),
  'edit: of several tags the first counts': () =>
    asked('updateAccessToken', ({ headers }) => {
      if (headers['if-match'] !== undefined) headers['if-match'] = headers['if-match'].replace(/,.*/, '');
    }),
  'revoke: a second call is 404': () => {
    const gone = new Set<string>();
    return answered('revokeAccessToken', (reply, each) => {
      if (reply.status !== 204) return;
      if (gone.has(each.path)) Object.assign(reply, json(404, { detail: 'No such token.', code: 'not_found' }));
      gone.add(each.path);
    });
  },
  'revoke: a second call moves revokedAt': () => {
    const again = new Map<string, number>();
    return both(
      answered('revokeAccessToken', (reply, { path }) => {
        if (reply.status === 204) again.set(path, (again.get(path) ?? 0) + 1);
      }),
      told('getAccessToken', (body, { path }) => {
        if (body.revokedAt && (again.get(path) ?? 0) > 1) body.revokedAt = new Date().toISOString();
      }),
    );
  },
  'revoke: If-None-Match is refused': () =>
    asked('revokeAccessToken', ({ headers }) =>
      headers['if-none-match'] === undefined ? undefined : json(412, { detail: 'no', code: 'precondition_failed' }),
    ),
  'rotate: the plaintext stays': () => {
    let plaintext: string | undefined;
    return told(ISSUED, (body, { operation }) => {
      if (operation === 'rotateAccessToken' && plaintext !== undefined) body.plaintext = plaintext;
      plaintext = body.plaintext;
    });
  },
  'rotate: previousSecret stays null': () =>
    told('rotateAccessToken getAccessToken', (body) => {
      for (const each of [body, tokenIn(body)]) if (each.previousSecret) each.previousSecret = null;
    }),
  'rotate: the grace period is an hour at most': () =>
    sent('rotateAccessToken', (body) => {
      if (
        typeof body.gracePeriodSeconds === 'number' &&
        body.gracePeriodSeconds > 3600 &&
        body.gracePeriodSeconds <= 604_800
      )
        body.gracePeriodSeconds = 3600;
    }),
  'rotate: the name is lost': () =>
    told('rotateAccessToken', (body) => {
      tokenIn(body).name = 'token';
    }),
  'rotate: an unknown id is 200': () => instead('rotateAccessToken', 404, json(204, {})),
  'current: the token in use is another': () =>
    told('getCurrentAccessToken', (body) => {
      body.id = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
    }),
  'current: revoking it ends nothing': () =>
    asked('revokeCurrentAccessToken', ({ headers }) =>
      headers.authorization?.startsWith('Bearer lk_pat') === true
        ? { status: 204, headers: USUAL, text: '' }
        : undefined,
    ),
  'current: rotating it gives another id': () =>
    told('rotateCurrentAccessToken', (body) => {
      tokenIn(body).id = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
    }),

  // Bulk.
  'bulk: ids and a filter together are taken': () =>
    sent('revokeAccessTokens', (body) => {
      if (body.ids !== undefined && body.filter !== undefined) delete body.filter;
    }),
  'bulk: an empty filter is all': () =>
    sent('revokeAccessTokens', (body) => {
      if (JSON.stringify(body.filter) === '{}') body.filter = { q: 'nothing is called so' };
    }),
  'bulk: tokens are not told': () => told('revokeAccessTokens', (body) => (body.tokens = [])),
  'bulk: told tokens are as they were': () =>
    told('revokeAccessTokens', (body) => {
      for (const row of body.tokens ?? []) row.revokedAt = null;
    }),
  'bulk: unknown ids are 404': () =>
    answered('revokeAccessTokens', (reply) => {
      if (parse(reply.text)?.notFoundCount)
        Object.assign(reply, json(404, { detail: 'No such token.', code: 'not_found' }));
    }),
  'bulk: ids do nothing': () =>
    sent('revokeAccessTokens', (body) => {
      if (body.ids !== undefined && body.dryRun !== true) body.dryRun = true;
    }),
  'bulk: a dry run counts none': () =>
    told('revokeAccessTokens', (body) => {
      if (body.dryRun === true) body.revokedCount = 0;
    }),

  // Verification.
  'verify: an expired token is called unknown': () =>
    verdicts((verdict) => {
      if (verdict.code === 'expired') verdict.code = 'unknown';
    }),
  'verify: valid and code disagree': () =>
    verdicts((verdict) => {
      if (verdict.code === 'insufficient_scope') verdict.valid = true;
    }),
  'verify: scopes are not looked at': () =>
    sent(VERIFY, (body) => {
      delete body.scopes;
      for (const each of body.tokens ?? []) delete each.scopes;
    }),
  'verify: one scope is enough': () =>
    sent('verifyAccessToken', (body) => {
      if (Array.isArray(body.scopes)) body.scopes = body.scopes.slice(0, 1);
    }),
  'verify: the owner is not told': () => verdicts((verdict) => (verdict.owner = null)),
  'verify: a revoked token is told as null': () =>
    verdicts((verdict) => {
      if (verdict.code === 'revoked') Object.assign(verdict, { token: null, owner: null });
    }),
  'verify: what is no token is unknown': () =>
    verdicts((verdict) => {
      if (verdict.code === 'malformed') verdict.code = 'unknown';
    }),
  'verify: the batch is in another order': () => told('verifyAccessTokens', (body) => void body.results?.reverse()),
  'verify: the batch leaves equal tokens out': () =>
    told('verifyAccessTokens', (body) => {
      if (body.results && body.results.length > 1) body.results.pop();
    }),
  'introspect: exp is in milliseconds': () =>
    told('introspectToken', (body) => {
      if (body.exp !== undefined) body.exp *= 1000;
    }),
  'introspect: an inactive token says why': () =>
    told('introspectToken', (body) => {
      if (body.active === false) body.code = 'unknown';
    }),
  'introspect: scope is a list': () =>
    told('introspectToken', (body) => {
      if (body.scope !== undefined) Object.assign(body, { scope: body.scope.split(' ') });
    }),
  'introspect: unknown parameters are refused': () =>
    asked('introspectToken', ({ text }) =>
      /(^|&)(?!token=|token_type_hint=)\w+=/.test(text) && text.includes('token=')
        ? json(400, { error: 'invalid_request', error_description: 'unknown' })
        : undefined,
    ),
  'oauth: an unknown token cannot be revoked': () =>
    asked('revokeOAuthToken', ({ text, headers }) =>
      headers.authorization !== undefined && !text.includes('lk_') && /token=\w/.test(text)
        ? json(400, { error: 'invalid_request', error_description: 'unknown' })
        : undefined,
    ),
  'oauth: revoking does nothing': () =>
    asked('revokeOAuthToken', ({ text, headers }) =>
      headers.authorization !== undefined && /token=lk_pat/.test(text)
        ? { status: 200, headers: USUAL, text: '' }
        : undefined,
    ),

  // Users.
  'users: not by id': () => told('listUsers', (body) => void body.items?.reverse()),
  'users: q looks at names alone': () =>
    keeps('listUsers', ({ fullName = '' }, query) =>
      fullName.toLowerCase().includes((query.get('q') ?? '').toLowerCase()),
    ),
  'users: a password that was sent is told': () =>
    told('createUser', (body, each) => {
      body.password ??= parse(each.text)?.password ?? null;
    }),
  'users: isAdmin is dropped': () => sent('createUser', (body) => delete body.isAdmin),
  'users: an edit of the name makes an administrator': () =>
    sent('updateUser', (body) => {
      if (body.fullName !== undefined && Object.keys(body).length === 1) body.isAdmin = true;
    }),
  'users: a disabled user logs in': () =>
    told('updateUser', (body) => {
      body.disabled = false;
    }),
  'users: one e-mail twice is taken': () =>
    answered('createUser', (reply) => {
      if (reply.status === 409)
        Object.assign(
          reply,
          json(
            201,
            {
              user: {
                id: 7,
                email: 'a@example.org',
                fullName: '',
                isAdmin: false,
                disabled: false,
                createdAt: '2026-11-22T10:00:00.000Z',
              },
              password: null,
            },
            { location: '/api/v1/users/7' },
          ),
        );
    }),
  'users: revokeTokens leaves the tokens': () =>
    sent('updateUser', (body) => {
      if (body.revokeTokens === true && Object.keys(body).length > 1) delete body.revokeTokens;
    }),
  'users: anybody lists them': () => trusted('listUsers', [403]),

  // Sessions.
  'session: the two access tokens differ': () =>
    told('logIn', (body) => {
      body.token_access = body.token_access?.replace(/.{6}$/, '000000');
    }),
  'session: username is not the e-mail': () =>
    told('logIn refreshSession', (body) => {
      body.username = 'admin';
    }),
  'session: a spent refresh token serves again': () => {
    const spent = new Map<string, Reply>();
    return {
      ask: (each) => (each.operation === 'refreshSession' ? spent.get(each.text) : undefined),
      tell(reply, each) {
        if (each.operation === 'refreshSession' && reply.status === 200) spent.set(each.text, structuredClone(reply));
      },
    };
  },
  'session: the refresh token stays': () =>
    told('refreshSession', (body, each) => {
      body.refresh_token = parse(each.text)?.refresh_token;
    }),
  'session: the cookie is not HttpOnly': () =>
    headerOf('logIn', (headers) => {
      headers['set-cookie'] = headers['set-cookie']?.map((each) => each.replace(/; ?HttpOnly/i, ''));
    }),
  'session: logging out leaves the cookie': () =>
    headerOf('logOut', (headers) => {
      delete headers['set-cookie'];
    }),
  'session: an e-mail in upper case is refused': () =>
    asked('logIn', (each) =>
      /[A-Z]/.test(parse(each.text)?.username ?? '')
        ? json(401, { detail: 'Wrong e-mail or password.' }, { 'www-authenticate': 'Bearer' })
        : undefined,
    ),
  'me: a personal token has a session': () =>
    told('getMe', (body) => {
      if (body.session) body.session.sessionId ??= '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
    }),
  'me: always by bearer': () =>
    told('getMe', (body) => {
      if (body.session) body.session.authMethod = 'bearer';
    }),

  // What every answer has.
  'every: the id of a request is not taken': () =>
    every(({ headers }) => {
      headers['x-request-id'] = 'another';
    }),
  'every: instants have a zone of their own': () =>
    told('getAccessToken', (body) => {
      body.createdAt = body.createdAt?.replace('Z', '+00:00');
    }),
  'every: a 401 has no challenge': () =>
    every((reply) => {
      if (reply.status === 401) delete reply.headers['www-authenticate'];
    }),
  'every: a challenge without a credential has an error': () =>
    every((reply, { headers }) => {
      if (reply.status === 401 && headers.authorization === undefined && reply.headers['www-authenticate'] === 'Bearer')
        reply.headers['www-authenticate'] = 'Bearer error="invalid_token"';
    }),
  'every: the end of the token is another': () =>
    every(({ headers }) => {
      if (headers['latchkey-token-expires-at'] !== undefined)
        headers['latchkey-token-expires-at'] = '2020-01-01T00:00:00.000Z';
    }),
  'every: a trailing slash is all the same': () => ({
    ask(each) {
      if (each.path === `${B}/`) each.path = B;
    },
  }),
  'every: a large body is 400': () =>
    every((reply) => {
      if (reply.status === 413) reply.status = 400;
    }),
  'every: a form is taken for JSON': () =>
    asked('createAccessToken', ({ headers, text }) =>
      headers['content-type'] === 'application/x-www-form-urlencoded' &&
      text.includes('name=') &&
      headers.authorization !== undefined
        ? json(201, {})
        : undefined,
    ),
  'every: a content encoding is ignored': () => ({
    ask({ headers }) {
      delete headers['content-encoding'];
    },
  }),
};
