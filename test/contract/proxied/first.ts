import {
  A,
  ADMIN,
  answered,
  asAdmin,
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
  slow,
  stale,
  tokenIn,
  told,
  trusted,
  USUAL,
} from './making.js';
import type { Ask, Asked, Body, Fault } from './proxy.js';

// One fault each, made when it is asked for, since many remember what they have seen.

const ONE = 'getAccessToken updateAccessToken';
const LISTS = 'listPrivateTokens listAccessTokens';

/** Whether the caller is the administrator, asked once for each credential. */
function whoAsks(): (each: Asked, service: Ask) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async (each, service) => {
    const as = credentialOf(each) ?? '';
    const before = known.get(as);
    if (before !== undefined) return before;
    const { text } = await service('GET', '/api/v1/auth/me', { as });
    const isAdmin = parse(text)?.user?.email === ADMIN.username;
    known.set(as, isAdmin);
    return isAdmin;
  };
}

/** Lists of others have the administrator's rows as well. */
function leakyList(operation: string, path: string): Fault {
  const admin = asAdmin();
  const isAdmin = whoAsks();
  return told(operation, async (body, each, service) => {
    if (await isAdmin(each, service)) return;
    const { text } = await service('GET', path, { as: await admin(service) });
    const more = rowsOf(parse(text) ?? {}).slice(0, 2);
    rowsOf(body).push(...more);
    if (body.count !== undefined) body.count += more.length;
  });
}

/** Without a parameter of the query, a list takes this for it. */
const assumes = (operation: string, name: string, value: string): Fault =>
  asked(operation, ({ query }) => {
    if (!query.has(name)) query.set(name, value);
  });

const dropsFilter = (operation: string, name: string): Fault =>
  asked(operation, ({ query }) => {
    query.delete(name);
  });

const turns = (operation: string, name: string, change: (value: string) => string): Fault =>
  asked(operation, ({ query }) => {
    const value = query.get(name);
    if (value !== null) query.set(name, change(value));
  });

const opposite = (value: string) => (value.startsWith('-') ? value.slice(1) : `-${value}`);

/** What a token with fewer scopes may not do is done as the administrator. */
const widens = (operations: string): Fault => trusted(operations, [403]);

const day = 86_400_000;
const later = (instant: string | null | undefined, days: number) =>
  typeof instant === 'string' ? new Date(Date.parse(instant) + days * day).toISOString() : instant;

function afterEdit(name: 'description' | 'metadata' | 'name', change: (body: Body) => void): Fault {
  return sent('updateAccessToken', (body) => {
    if (body[name] !== undefined && Object.keys(body).length === 1) change(body);
  });
}

export const FIRST: Record<string, () => Fault> = {
  // The answer itself.
  'Location of a new token leads nowhere': () =>
    answered('createAccessToken', ({ headers }) => {
      if (headers.location !== undefined) headers.location = `${B}/019ab9d4-0000-7a52-9f0b-6c1d2e3f4a5b`;
    }),
  'Location of a new token is the list': () =>
    answered('createAccessToken', ({ headers }) => {
      if (headers.location !== undefined) headers.location = B;
    }),
  'Location of a new token is on another host': () =>
    answered('createAccessToken', ({ headers }) => {
      if (headers.location !== undefined) headers.location = `http://other.example.org${headers.location}`;
    }),
  'Location of a new user is that of the first': () =>
    answered('createUser', ({ headers }) => {
      if (headers.location !== undefined) headers.location = '/api/v1/users/1';
    }),
  'getting a token gives that of the request': () =>
    asked('getAccessToken', (each, service) =>
      each.method === 'GET' && each.query.size === 0
        ? service('GET', `${B}/current`, { as: credentialOf(each) })
        : undefined,
    ),
  'getting a user gives the first': () =>
    asked('getUser', (each) => {
      each.path = '/api/v1/users/1';
    }),
  'a new token loses its description': () => sent('createAccessToken', (body) => delete body.description),
  'a new token loses its metadata': () => sent('createAccessToken', (body) => delete body.metadata),
  'a new token loses a label of its metadata': () =>
    sent('createAccessToken', ({ metadata = {} }) => {
      const [name] = Object.keys(metadata);
      if (name !== undefined) Reflect.deleteProperty(metadata, name);
    }),
  'a name is trimmed': () =>
    sent('createAccessToken', (body) => {
      if (typeof body.name === 'string' && body.name.trim() !== '') body.name = body.name.trim();
    }),
  'a name is normalised to NFC': () =>
    sent('createAccessToken createPrivateToken', (body) => {
      if (typeof body.name === 'string') body.name = body.name.normalize('NFC');
    }),
  'a description is normalised to NFC': () =>
    sent('createAccessToken', (body) => {
      if (typeof body.description === 'string') body.description = body.description.normalize('NFC');
    }),
  'a name loses what is beyond the BMP': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.name === 'string' && body.name.length < 200)
        body.name = body.name.replace(/[\u{10000}-\u{10FFFF}]/gu, '?');
    }),
  'the zone of an instant is lost': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.expiration_time === 'string' && /^\d{4}-\d\d-\d\dT.*[+-]\d\d:\d\d$/.test(body.expiration_time))
        body.expiration_time = body.expiration_time.replace(/[+-]\d\d:\d\d$/, 'Z');
    }),
  '30 days are 365': () =>
    told('createAccessToken', (body) => {
      const token = tokenIn(body);
      token.expiresAt = later(token.expiresAt, 335);
    }),
  'a new token loses the last of its scopes': () =>
    sent('createAccessToken', ({ scopes }) => {
      if (Array.isArray(scopes) && scopes.length > 1) scopes.pop();
    }),
  'a new user loses the full name': () => sent('createUser', (body) => delete body.fullName),
  'a new name clears the description': () => afterEdit('name', (body) => (body.description = '')),
  'a new description clears the metadata': () => afterEdit('description', (body) => (body.metadata = {})),
  'new metadata clear the description': () => afterEdit('metadata', (body) => (body.description = '')),
  'an edit makes a token as new': () =>
    told('updateAccessToken', (body) => (body.createdAt = new Date().toISOString())),
  'a rotation renames the token': () =>
    told('rotateAccessToken', (body) => (tokenIn(body).name = `${tokenIn(body).name ?? ''} (rotated)`)),
  'a rotation clears the metadata': () =>
    both(
      told('rotateAccessToken', async (body, each, service) => {
        const token = tokenIn(body);
        token.metadata = {};
        await service('PATCH', `${B}/${String(token.id)}`, { as: credentialOf(each), body: { metadata: {} } });
      }),
    ),
  'a rotation gives another id': () =>
    told('rotateAccessToken', (body) => (tokenIn(body).id = '019ab9d4-0000-7a52-9f0b-6c1d2e3f4a5b')),
  'the list is a second behind': () => stale('listAccessTokens', 1_000),
  'getting a token is a second behind': () => stale('getAccessToken', 1_000),
  'the list leaves descriptions out': () =>
    told('listAccessTokens', (body) => {
      for (const row of rowsOf(body)) row.description = '';
    }),
  'the list cuts names': () =>
    told('listAccessTokens', (body) => {
      for (const row of rowsOf(body)) row.name = row.name?.slice(0, 8) ?? '';
    }),
  'a fault names another member': () =>
    refused('createAccessToken', ({ detail }) => {
      if (typeof detail !== 'object') return;
      for (const problem of detail) if (problem.loc[1] === 'name') problem.loc[1] = 'description';
    }),
  'a fault names no member': () =>
    refused('createAccessToken updateAccessToken', ({ detail }) => {
      if (typeof detail === 'object') for (const problem of detail) problem.loc.length = 1;
    }),
  'a fault of a field is of none': () =>
    refused('createPrivateToken', (body) => {
      const { detail, ...fields } = body;
      if (detail !== undefined) return;
      for (const name of Object.keys(fields)) Reflect.deleteProperty(body, name);
      Object.assign(body, { non_field_errors: Object.values(fields).flat() });
    }),
  'a fault of the query is of the body': () =>
    refused('listAccessTokens', ({ detail }) => {
      if (typeof detail === 'object') for (const problem of detail) problem.loc = ['body', 'name'];
    }),
  'an answer says that it is Latin-1': () =>
    answered('getAccessToken getMe', ({ headers }) => {
      if (headers['content-type'] !== undefined) headers['content-type'] = 'application/json; charset=iso-8859-1';
    }),
  'a request that says UTF-8 is refused': () =>
    asked('createAccessToken updateAccessToken', ({ headers }) =>
      /charset=utf-8/i.test(headers['content-type'] ?? '')
        ? json(415, { detail: 'No charset.', code: 'unsupported_media_type' })
        : undefined,
    ),
  'metadata are merged': () =>
    asked('updateAccessToken', async (each, service) => {
      const body = parse(each.text);
      if (typeof body?.metadata !== 'object' || Array.isArray(body.metadata)) return;
      const { text } = await service('GET', each.path, { as: credentialOf(each) });
      const merged = { ...parse(text)?.metadata, ...body.metadata };
      if (Object.keys(merged).length <= 16) each.text = JSON.stringify({ ...body, metadata: merged });
    }),
  'a long name is cut in the store': () =>
    told('getAccessToken listAccessTokens', (body) => {
      for (const row of [body, ...rowsOf(body)]) if (row.name !== undefined) row.name = row.name.slice(0, 24);
    }),

  // HEAD, OPTIONS, TRACE.
  'HEAD is 405 on lists': () =>
    asked(LISTS, ({ method }) =>
      method === 'HEAD' ? json(405, { detail: 'no', code: 'method_not_allowed' }, { Allow: 'GET, POST' }) : undefined,
    ),
  'HEAD of an unknown id is 200': () =>
    answered('getAccessToken getUser', (reply, { method }) => {
      if (method === 'HEAD' && reply.status === 404) reply.status = 200;
    }),
  'HEAD needs no credential': () =>
    answered('listAccessTokens getMe listUsers', (reply, { method }) => {
      if (method === 'HEAD' && reply.status === 401) reply.status = 200;
    }),
  'HEAD lacks the entity tag': () =>
    answered('getAccessToken', ({ headers }, { method }) => {
      if (method === 'HEAD') delete headers.etag;
    }),
  'HEAD fails': () =>
    answered('listPrivateTokens', (reply, { method }) => {
      if (method === 'HEAD') reply.status = 500;
    }),
  'HEAD tells another media type': () =>
    answered('listAccessTokens', ({ headers }, { method }) => {
      if (method === 'HEAD') headers['content-type'] = 'text/plain';
    }),
  'OPTIONS lacks Allow': () => ({
    tell({ headers }, { method }) {
      if (method === 'OPTIONS') delete headers.allow;
    },
  }),
  'OPTIONS is 404': () => ({
    tell(reply, { method }) {
      if (method === 'OPTIONS') Object.assign(reply, json(404, { detail: 'no', code: 'not_found' }));
    },
  }),
  'Allow of OPTIONS lacks DELETE': () => ({
    tell({ headers }, { method }) {
      if (method === 'OPTIONS' && headers.allow !== undefined) headers.allow = headers.allow.replace(/DELETE, /, '');
    },
  }),
  'TRACE tells what was sent': () => ({
    ask: ({ method, headers }) =>
      method === 'TRACE'
        ? { status: 200, headers: { ...USUAL, 'content-type': 'message/http' }, text: JSON.stringify(headers) }
        : undefined,
  }),

  // Defaults.
  'limit is 20 by default': () => assumes('listAccessTokens', 'limit', '20'),
  'page_size is 10 by default': () => assumes('listPrivateTokens', 'page_size', '10'),
  'the oldest are first by default': () => assumes('listAccessTokens', 'sort', 'createdAt'),
  'ordering is by id by default': () => assumes('listPrivateTokens', 'ordering', 'id'),
  'revoked tokens are listed by default': () => assumes('listAccessTokens', 'includeRevoked', 'true'),
  'a new user is an administrator by default': () =>
    sent('createUser', (body) => {
      body.isAdmin ??= true;
    }),
  'earlier secrets serve for a minute by default': () =>
    asked('rotateAccessToken', (each) => {
      const body = each.text === '' ? {} : parse(each.text);
      if (body === undefined || 'gracePeriodSeconds' in body) return;
      each.text = JSON.stringify({ ...body, gracePeriodSeconds: 60 });
      each.headers['content-type'] ??= 'application/json';
    }),
  'many are revoked in a dry run by default': () =>
    sent('revokeAccessTokens', (body) => {
      body.dryRun ??= true;
    }),

  // Lists.
  'newest first is oldest first': () =>
    turns('listAccessTokens', 'sort', (sort) => sort.replace('-createdAt', 'createdAt')),
  'names are ordered the other way': () =>
    turns('listAccessTokens', 'sort', (sort) => (/name$/.test(sort) ? opposite(sort) : sort)),
  'expiresAt orders by createdAt': () =>
    turns('listAccessTokens', 'sort', (sort) => sort.replace('expiresAt', 'createdAt')),
  'without an expiry is first': () =>
    told('listAccessTokens', (body, { query }) => {
      if (query.get('sort') === 'expiresAt')
        body.items?.sort((a, b) => Number(a.expiresAt !== null) - Number(b.expiresAt !== null));
    }),
  'ordering by name is the other way': () =>
    turns('listPrivateTokens', 'ordering', (sort) => (/name$/.test(sort) ? opposite(sort) : sort)),
  'ordering by expiration_time is ignored': () =>
    turns('listPrivateTokens', 'ordering', (sort) => sort.replace('expiration_time', 'id')),
  'q is ignored': () => dropsFilter('listAccessTokens', 'q'),
  'q of private tokens is ignored': () => dropsFilter('listPrivateTokens', 'q'),
  'q of users is ignored': () => dropsFilter('listUsers', 'q'),
  'q minds the letter case': () =>
    told('listPrivateTokens', (body, { query }) => {
      const q = query.get('q') ?? '';
      const left = body.results?.filter(({ name = '' }) => name.includes(q)) ?? [];
      body.count = (body.count ?? 0) - ((body.results?.length ?? 0) - left.length);
      body.results = left;
    }),
  'q looks at names alone': () =>
    told('listAccessTokens', (body, { query }) => {
      const q = query.get('q')?.toLowerCase();
      if (q !== undefined) body.items = body.items?.filter(({ name = '' }) => name.toLowerCase().includes(q)) ?? [];
    }),
  'createdAfter is ignored': () => dropsFilter('listAccessTokens', 'createdAfter'),
  'createdBefore is createdAfter': () =>
    asked('listAccessTokens', ({ query }) => {
      const instant = query.get('createdBefore');
      if (instant === null) return;
      query.delete('createdBefore');
      if (!query.has('createdAfter')) query.set('createdAfter', instant);
    }),
  'expiresAfter is ignored': () => dropsFilter('listAccessTokens', 'expiresAfter'),
  'neverUsed is ignored': () => dropsFilter('listAccessTokens', 'neverUsed'),
  'neverUsed is turned around': () =>
    turns('listAccessTokens', 'neverUsed', (text) => (text === 'true' ? 'false' : text === 'false' ? 'true' : text)),
  'scope is ignored': () => dropsFilter('listAccessTokens', 'scope'),
  'state=disabled lists all': () =>
    asked('listAccessTokens', ({ query }) => {
      if (query.get('state') === 'disabled') query.delete('state');
    }),
  'state=revoked lists none': () =>
    told('listAccessTokens', (body, { query }) => {
      if (query.get('state') === 'revoked') Object.assign(body, { items: [], nextCursor: null });
    }),
  'tokenType is ignored': () => dropsFilter('listAccessTokens', 'tokenType'),
  'the next page forgets q': () =>
    told('listPrivateTokens', (body) => (body.next = body.next?.replace(/([?&])q=[^&]*&?/, '$1') ?? null)),
  'the next page forgets the ordering': () =>
    told('listPrivateTokens', (body) => (body.next = body.next?.replace(/([?&])ordering=[^&]*&?/, '$1') ?? null)),
  'there is no previous page': () => told('listPrivateTokens', (body) => (body.previous = null)),
  'the previous page is the next': () =>
    told('listPrivateTokens', (body) => {
      if (body.previous !== null) body.previous = body.next ?? body.previous;
    }),

  // Credentials.
  'a token in the query opens': () => ({
    ask({ query, headers }) {
      const token = query.get('access_token') ?? query.get('token');
      if (token === null || headers.authorization !== undefined) return;
      query.delete('access_token');
      query.delete('token');
      headers.authorization = `Bearer ${token}`;
    },
  }),
  'any scheme word opens': () => ({
    ask({ headers, path }) {
      if (!path.startsWith('/oauth') && headers.authorization !== undefined)
        headers.authorization = headers.authorization.replace(/^(Token|JWT|Basic) /, 'Bearer ');
    },
  }),
  'bearer in lower case is refused': () => ({
    ask({ headers }) {
      if (headers.authorization?.startsWith('bearer ') === true) headers.authorization = 'Bearer none';
    },
  }),
  'of two credentials the first counts': () => ({
    ask({ headers }) {
      if (headers.authorization !== undefined && headers['x-api-key'] !== undefined) delete headers['x-api-key'];
    },
  }),
  'a bad body is told before the credential': () =>
    asked('createAccessToken createPrivateToken updateAccessToken', async (each, service) => {
      const { authorization, 'x-api-key': key, cookie } = each.headers;
      if (authorization !== undefined || key !== undefined || cookie !== undefined) return undefined;
      const body = parse(each.text);
      if (body?.name !== undefined) return undefined;
      return Promise.resolve(service).then(() =>
        json(each.operation === 'createPrivateToken' ? 400 : 422, {
          detail: [{ loc: ['body', 'name'], msg: 'Field required', type: 'missing' }],
        }),
      );
    }),
  'an unknown id is told before the credential': () =>
    answered('getAccessToken', (reply, { path }) => {
      if (reply.status === 401 && !path.includes('-7'))
        Object.assign(reply, json(404, { detail: 'no', code: 'not_found' }));
    }),
  'tokens:read is not looked at': () => widens('listAccessTokens getAccessToken'),
  'tokens:read is not looked at for private tokens': () => widens('listPrivateTokens'),
  'tokens:write is not looked at': () => widens('createAccessToken updateAccessToken revokeAccessToken'),
  'tokens:verify is not looked at': () => widens('verifyAccessToken verifyAccessTokens'),
  'tokens:verify is not looked at for OAuth': () => widens('introspectToken'),
  'users:admin is not looked at': () => widens('listUsers getUser'),
  'what a token creates may be wider': () =>
    trusted('createAccessToken', [403], (each) => {
      const body = parse(each.text);
      if (body?.scopes === undefined) each.text = '';
    }),
  'a cookie of another site opens': () => ({
    ask({ headers }) {
      delete headers['sec-fetch-site'];
      if (headers.origin !== undefined) headers.origin = `http://${headers.host ?? ''}`;
    },
  }),

  // A second identity.
  "others read one's token": () => trusted('getAccessToken', [404]),
  "others edit one's token": () => trusted('updateAccessToken', [404]),
  "others revoke one's token": () => trusted('revokeAccessToken', [404]),
  "others revoke one's private token": () => trusted('revokePrivateToken', [404]),
  "others rotate one's token": () => trusted('rotateAccessToken', [404]),
  "others list one's tokens": () => leakyList('listAccessTokens', B),
  "others list one's private tokens": () => leakyList('listPrivateTokens', A),
  "others count one's private tokens": () =>
    told('listPrivateTokens', async (body, each, service) => {
      if (!(await whoAsks()(each, service))) body.count = (body.count ?? 0) + 3;
    }),
  "others revoke one's tokens by their ids": () => {
    const admin = asAdmin();
    return told('revokeAccessTokens', async (body, each, service) => {
      const { ids, dryRun } = parse(each.text) ?? {};
      if (!body.notFoundCount || ids === undefined || dryRun === true) return;
      await service('POST', `${B}/revoke`, { as: await admin(service), body: { ids } });
    });
  },
  "others revoke one's tokens with all of theirs": () => {
    const isAdmin = whoAsks();
    const admin = asAdmin();
    return answered('revokeAllAccessTokens', async (reply, each, service) => {
      if (reply.status === 200 && !(await isAdmin(each, service)))
        await service('POST', `${B}/revoke`, {
          as: await admin(service),
          body: { filter: { tokenType: 'pat' } },
        });
    });
  },
  "another's id is told from an unknown one": () => {
    const admin = asAdmin();
    return answered('getAccessToken', async (reply, each, service) => {
      if (reply.status !== 404 || each.query.size > 0) return;
      const known = await service('GET', each.path, { as: await admin(service) });
      if (known.status === 200 || lastOf(each) === '')
        Object.assign(reply, json(403, { detail: 'Not yours.', code: 'insufficient_scope' }));
    });
  },
  'anybody names an owner': () => trusted(LISTS, [403]),
  'anybody lists users': () => trusted('listUsers', [403]),
  'anybody gets users': () => trusted('getUser', [403]),
  'anybody edits users': () => trusted('updateUser', [403]),
  'anybody adds users': () => trusted('createUser', [403]),

  // At once.
  'two requests with one key at once make two things': () => {
    const busy = new Map<string, number>();
    const keyOf = ({ headers }: Asked) => String(headers['idempotency-key']);
    return {
      ask(each) {
        if (each.headers['idempotency-key'] === undefined || each.operation !== 'createAccessToken') return;
        const key = keyOf(each);
        busy.set(key, (busy.get(key) ?? 0) + 1);
        if ((busy.get(key) ?? 0) > 1) delete each.headers['idempotency-key'];
        return slow(15).then(() => undefined);
      },
      tell(_, each) {
        const key = keyOf(each);
        if (busy.has(key)) setTimeout(() => busy.delete(key), 15);
      },
    };
  },
  'two editors at once both win': () => {
    const waiting = new Map<string, (hasMet: boolean) => void>();
    return asked(ONE, async (each) => {
      const tag = each.headers['if-match'];
      if (tag === undefined || tag === '*' || each.method !== 'PATCH') return;
      const first = waiting.get(tag);
      first?.(true);
      const hasMet =
        first !== undefined ||
        (await new Promise<boolean>((resolve) => {
          waiting.set(tag, resolve);
          // A second editor has this time to come.
          setTimeout(resolve, 150, false);
        }));
      waiting.delete(tag);
      if (hasMet) delete each.headers['if-match'];
    });
  },

  // Bulk and dry runs.
  'a dry run revokes': () =>
    both(
      sent('revokeAccessTokens', (body) => {
        if (body.ids !== undefined) body.dryRun = false;
      }),
      told('revokeAccessTokens', (body) => (body.dryRun = true)),
    ),
  'a dry run by a filter revokes': () =>
    sent('revokeAccessTokens', (body) => {
      if (body.filter?.['q'] !== undefined) body.dryRun = false;
    }),
  'of several ids the last is left out': () =>
    sent('revokeAccessTokens', ({ ids }) => {
      if (Array.isArray(ids) && ids.length > 1) ids.pop();
    }),
  'ids revoke one token more': () =>
    told('revokeAccessTokens', async (_, each, service) => {
      const { ids, dryRun = false } = parse(each.text) ?? {};
      if (ids === undefined || dryRun) return;
      const as = credentialOf(each);
      const { text } = await service('GET', `${B}?tokenType=pat&limit=1`, { as });
      const [row] = rowsOf(parse(text) ?? {});
      if (row) await service('DELETE', `${B}/${String(row.id)}`, { as });
    }),
  'revokedCount is one too many': () =>
    told('revokeAccessTokens', (body) => (body.revokedCount = (body.revokedCount ?? 0) + 1)),
  'notFoundCount is none': () => told('revokeAccessTokens', (body) => (body.notFoundCount = 0)),
  'a dry run says that it was none': () => told('revokeAccessTokens', (body) => (body.dryRun = false)),
  'revokedCount counts what was revoked before': () => {
    const before = new Set<string>();
    return told('revokeAccessTokens', (body, each) => {
      const { ids = [], dryRun = false } = parse(each.text) ?? {};
      body.revokedCount = (body.revokedCount ?? 0) + ids.filter((id) => before.has(id)).length;
      if (!dryRun) for (const id of ids) before.add(id);
    });
  },
  'a filter revokes nothing': () =>
    sent('revokeAccessTokens', (body) => {
      if (body.filter !== undefined) body.dryRun = true;
    }),

  // Laws.
  'a disabled user keeps the session': () => {
    const open = new Map<string, string>();
    return {
      tell(reply, { operation, headers }) {
        const { user, access_token: token } = parse(reply.text) ?? {};
        const as = headers.authorization ?? '';
        if (operation === 'logIn' && token !== undefined) open.set(`Bearer ${token}`, '');
        if (operation === 'getMe' && reply.status === 200 && user !== undefined && open.has(as))
          open.set(as, reply.text);
        if (operation === 'getMe' && reply.status === 401 && open.has(as)) {
          reply.status = 200;
          reply.text = open.get(as) ?? '';
        }
      },
    };
  },
  'a new password leaves the sessions': () =>
    asked('updateUser', async (each, service) => {
      const body = parse(each.text);
      if (body?.password === undefined || body.password === null || Object.keys(body).length > 1) return undefined;
      return await service('GET', each.path, { as: credentialOf(each) });
    }),
  'a revocation takes half a second': () => stale('getMe listAccessTokens getCurrentAccessToken', 500),
  'nosniff is missing': () => ({ tell: ({ headers }) => delete headers['x-content-type-options'] }),
  'no-store is missing on lists': () => answered(LISTS, ({ headers }) => delete headers['cache-control']),
  'what is disabled stays so': () =>
    sent('updateAccessToken', (body) => {
      if (body.disabled === false) body.disabled = true;
    }),

  // Seldom, slow, cut.
  'every fiftieth answer fails': () => ({
    tell(reply, { count }) {
      if (count % 50 === 49) Object.assign(reply, json(500, { detail: 'no', code: 'internal_error' }));
    },
  }),
  'every fiftieth answer lacks the id of its request': () => ({
    tell({ headers }, { count }) {
      if (count % 50 === 49) delete headers['x-request-id'];
    },
  }),
  'every fiftieth row lacks its scopes': () => {
    let rows = 0;
    return told('listAccessTokens', (body) => {
      for (const row of rowsOf(body)) if (++rows % 50 === 0) delete row.scopes;
    });
  },
  'every twentieth list takes two seconds': () => {
    let lists = 0;
    return answered(LISTS, () => (++lists % 20 === 0 ? slow(2_000) : undefined));
  },
  'a long answer is cut': () =>
    answered('getOpenApiJson', (reply) => {
      if (reply.text.length > 10_000) reply.cut = 8_000;
    }),
};
