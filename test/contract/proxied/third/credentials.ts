import {
  answered,
  asAdmin,
  asked,
  B,
  credentialOf,
  json,
  lastOf,
  parse,
  sent,
  stale,
  told,
  trusted,
} from '../making.js';
import type { Ask, Asked, Fault } from '../proxy.js';
import { type Faults, hasCookieAlone, one, repeat, secretOf, unauthorized } from './parts.js';

// Credentials, scopes, the cookie and its origin.

/** Passes on as the administrator's what is refused for want of a scope. */
function withoutScope(operations: string): Fault {
  const inner = trusted(operations, [403]);
  return {
    tell: (reply, each, service) => (/lacks a scope/.test(reply.text) ? inner.tell?.(reply, each, service) : undefined),
  };
}

/** Reads the code that verifying a secret gives, on behalf of the administrator. */
function verdicts(): (secret: string, service: Ask) => Promise<string> {
  const admin = asAdmin();
  return async (secret, service) => {
    const body = { token: secret };
    const { text } = await service('POST', `${B}/verify`, { as: await admin(service), body });
    return parse(text)?.code ?? '';
  };
}

const isChange = ({ method }: Asked) => method !== 'GET' && method !== 'HEAD';

export const CREDENTIALS: Faults = {
  'a user can be looked at without a credential': () => trusted('getUser', [401]),
  'tokens can be verified without a credential': () => trusted('verifyAccessTokens', [401]),
  'X-API-Key does not serve for users': () =>
    asked('listUsers createUser getUser updateUser', (each) =>
      each.headers['x-api-key'] !== undefined && each.headers.authorization === undefined
        ? unauthorized(each)
        : undefined,
    ),
  'the word bearer must have a capital': () => ({
    ask: (each) => (/^bearer /.test(each.headers.authorization ?? '') ? unauthorized(each) : undefined),
  }),
  'a token in the query is a credential': () => ({
    ask({ query, headers }) {
      const token = query.get('access_token');
      if (token === null || headers.authorization !== undefined) return;
      query.delete('access_token');
      headers.authorization = `Bearer ${token}`;
    },
  }),
  'the token without a scheme is a credential': () => ({
    ask({ headers }) {
      if (/^\w+_(pat|ses)_\w{36}$/.test(headers.authorization ?? ''))
        headers.authorization = `Bearer ${headers.authorization ?? ''}`;
    },
  }),
  // Where several are sent they must be the same.
  'of two different tokens Authorization counts': () => ({
    ask({ headers }) {
      if (headers.authorization !== undefined) delete headers['x-api-key'];
    },
  }),
  'the cookie is tried where X-API-Key opens nothing': () => ({
    async tell(reply, each, service) {
      if (reply.status !== 401 || each.headers['x-api-key'] === undefined || each.headers.cookie === undefined) return;
      delete each.headers['x-api-key'];
      Object.assign(reply, await repeat(each, service));
    },
  }),
  'a wrong bearer token goes unnoticed beside a good cookie': () => ({
    async tell(reply, each, service) {
      if (reply.status !== 401 || each.headers.authorization === undefined || each.headers.cookie === undefined) return;
      delete each.headers.authorization;
      const again = await repeat(each, service);
      if (again.status < 300) Object.assign(reply, again);
    },
  }),
  'Basic serves everywhere': () => ({
    ask(each) {
      const [, basic] = /^Basic (\S+)$/i.exec(each.headers.authorization ?? '') ?? [];
      if (basic === undefined || each.operation.endsWith('OAuthToken') || each.operation === 'introspectToken') return;
      each.headers.authorization = `Bearer ${Buffer.from(basic, 'base64')
        .toString()
        .replace(/^[^:]*:/, '')}`;
    },
  }),
  'introspection does not know Basic': () =>
    answered('introspectToken', (reply, { headers }) => {
      if (/^basic /i.test(headers.authorization ?? ''))
        Object.assign(
          reply,
          json(
            401,
            { error: 'invalid_client', error_description: 'Send a token.' },
            { 'www-authenticate': 'Bearer error="invalid_token"' },
          ),
        );
    }),
  // The password is the token.
  'introspection takes the user name of Basic as the token': () =>
    asked('introspectToken revokeOAuthToken', ({ headers }) => {
      const [, basic] = /^Basic (\S+)$/i.exec(headers.authorization ?? '') ?? [];
      if (basic === undefined) return;
      const [name = '', password = ''] = Buffer.from(basic, 'base64').toString().split(':');
      headers.authorization = `Basic ${Buffer.from(`${password}:${name}`).toString('base64')}`;
    }),
  'no credential is told as an invalid one': () => ({
    tell({ headers }, each) {
      if (headers['www-authenticate'] === 'Bearer' && secretOf(each) === '')
        headers['www-authenticate'] = 'Bearer error="invalid_token"';
    },
  }),
  'a wrong login has no challenge': () =>
    answered('logIn', ({ headers }) => {
      delete headers['www-authenticate'];
    }),
  'a missing scope is not named in the challenge': () => ({
    tell({ status, headers }) {
      if (status === 403 && headers['www-authenticate'] !== undefined) headers['www-authenticate'] = 'Bearer';
    },
  }),
  // Missing, unknown, expired and revoked ones look alike.
  'who sends a revoked token is told so': () => {
    const verdict = verdicts();
    return {
      async tell(reply, each, service) {
        if (reply.status !== 401 || secretOf(each) === '') return;
        if ((await verdict(secretOf(each), service)) === 'revoked')
          reply.text = reply.text.replace(/"detail":"[^"]*"/, '"detail":"The token is revoked."');
      },
    };
  },
  'a disabled token still shows who the caller is': () => {
    const verdict = verdicts();
    const admin = asAdmin();
    return answered('getMe getCurrentAccessToken', async (reply, each, service) => {
      if (reply.status !== 401 || secretOf(each) === '') return;
      if ((await verdict(secretOf(each), service)) !== 'disabled') return;
      Object.assign(reply, await service('GET', each.path, { as: await admin(service) }));
    });
  },
  'a refresh token shows who the caller is': () => {
    const inner = trusted('getMe', [401]);
    return {
      tell: (reply, each, service) =>
        secretOf(each).includes('_ref_') ? inner.tell?.(reply, each, service) : undefined,
    };
  },
  'a credential is known for three seconds after its first use': () => stale('getMe', 3000),
  'a token without tokens:write revokes': () => withoutScope('revokeAccessToken revokePrivateToken'),
  'a token without tokens:read reads the private list': () => withoutScope('listPrivateTokens'),
  'introspection needs no scope': () => withoutScope('introspectToken'),
  'a user is added without users:admin': () => withoutScope('createUser'),
  'the whole of a revocation needs no scope where it is dry': () => {
    const inner = withoutScope('revokeAccessTokens');
    return {
      tell: (reply, each, service) =>
        parse(each.text)?.dryRun === true ? inner.tell?.(reply, each, service) : undefined,
    };
  },
  'getting the token in use needs tokens:read': () => ({
    async ask(each, service) {
      const as = credentialOf(each);
      if (each.operation !== 'getCurrentAccessToken' || as === undefined) return undefined;
      const { text } = await service('GET', each.path, { as });
      const { scopes = ['tokens:read'] } = parse(text) ?? {};
      return scopes.includes('tokens:read')
        ? undefined
        : json(403, { detail: 'The token lacks a scope: tokens:read.', code: 'insufficient_scope' });
    },
  }),
  'a token that is made without scopes gets users:admin too': () =>
    sent('createAccessToken', (body) => {
      body.scopes ??= ['tokens:read', 'tokens:verify', 'tokens:write', 'users:admin'];
    }),
  'a token that is made without scopes gets none': () =>
    sent('createAccessToken', (body) => {
      body.scopes ??= [];
    }),
  'an edit gives a token more than its editor has': () => withoutScope('updateAccessToken'),
  'a token without tokens:write prolongs itself by a rotation': () => {
    const admin = asAdmin();
    return answered('rotateCurrentAccessToken', async (reply, each, service) => {
      if (reply.status !== 403 || !reply.text.includes('insufficient_scope')) return;
      const { text } = await service('GET', `${B}/current`, { as: credentialOf(each) });
      const path = `${B}/${String(parse(text)?.id)}/rotate`;
      const again = await service('POST', path, { as: await admin(service), body: parse(each.text) });
      if (again.status === 200) Object.assign(reply, again);
    });
  },
  // Scopes match exactly.
  'a scope is given by the beginning of one that is asked for': () =>
    told('verifyAccessToken', (body, each) => {
      if (body.code !== 'insufficient_scope' || typeof body.token !== 'object') return;
      const { scopes = [] } = body.token ?? {};
      if ((parse(each.text)?.scopes ?? []).every((asks) => scopes.some((has) => asks.startsWith(has))))
        Object.assign(body, { valid: true, code: 'valid' });
    }),
  'one of the scopes that are asked for is enough': () =>
    told('verifyAccessToken', (body, each) => {
      if (body.code !== 'insufficient_scope' || typeof body.token !== 'object') return;
      const { scopes = [] } = body.token ?? {};
      if ((parse(each.text)?.scopes ?? []).some((asks) => scopes.includes(asks)))
        Object.assign(body, { valid: true, code: 'valid' });
    }),
  'another origin creates tokens by the cookie': () =>
    asked('createAccessToken createPrivateToken', ({ headers }) => {
      delete headers.origin;
      delete headers['sec-fetch-site'];
    }),
  'another origin logs out by the cookie': () =>
    asked('logOut', ({ headers }) => {
      delete headers.origin;
      delete headers['sec-fetch-site'];
    }),
  'the origin null counts as this one': () => ({
    ask({ headers }) {
      if (headers.origin === 'null') delete headers.origin;
    },
  }),
  'a page of the same site counts as this origin': () => ({
    ask({ headers }) {
      if (headers['sec-fetch-site'] === 'same-site') {
        headers['sec-fetch-site'] = 'same-origin';
        delete headers.origin;
      }
    },
  }),
  'an origin whose name begins as this one counts as this one': () => ({
    ask({ headers }) {
      const { origin = '', host = '' } = headers;
      if (origin.replace(/^https?:\/\//, '').startsWith(host.replace(/:\d+$/, ''))) {
        delete headers.origin;
        delete headers['sec-fetch-site'];
      }
    },
  }),
  // Only what changes something must come from this origin.
  'reading by the cookie must come from this origin': () => ({
    ask: (each) =>
      !isChange(each) && hasCookieAlone(each) && each.headers['sec-fetch-site'] === 'cross-site'
        ? json(403, { detail: 'A request by cookie must come from this origin.', code: 'cross_site_request' })
        : undefined,
  }),
  'a header from elsewhere is refused though a token is sent as bearer': () => ({
    ask: (each) =>
      isChange(each) && each.headers.authorization !== undefined && each.headers['sec-fetch-site'] === 'cross-site'
        ? json(403, { detail: 'A request by cookie must come from this origin.', code: 'cross_site_request' })
        : undefined,
  }),
  'a token that is not there shows itself to whoever has no credential': () => {
    const admin = asAdmin();
    return answered('getAccessToken', async (reply, each, service) => {
      if (reply.status !== 401 || !/^[0-9a-f-]{36}$/i.test(lastOf(each))) return;
      const known = await service('GET', each.path, { as: await admin(service) });
      if (known.status === 404) Object.assign(reply, known);
    });
  },
  'one in a dozen good credentials is refused': () => ({
    ask: (each) =>
      each.count % 12 === 11 && one(each.headers.authorization).includes('_pat_') ? unauthorized(each) : undefined,
  }),
};
