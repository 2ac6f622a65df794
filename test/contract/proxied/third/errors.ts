import { answered, asked, B, json, lastOf, parse, refused, slow, tokenIn, told } from '../making.js';
import type { Body, Fault } from '../proxy.js';
import { type Faults, one, SHOWN, secretOf, tokensIn, wrong } from './parts.js';

// The form of refusals, odd input, leaks, and what goes wrong now and then.

/** A fault of the service where a request is odd. */
const fails = (operations: string, isOdd: (body: Body, query: URLSearchParams) => boolean): Fault =>
  asked(operations, ({ text, query, path }) => {
    if (!isOdd(parse(text) ?? {}, query)) return undefined;
    const code = path.startsWith('/api/v1/auth/private_tokens') ? {} : { code: 'internal_error' };
    return json(500, { detail: 'Internal error.', ...code });
  });

export const ERRORS: Faults = {
  'a search with a quotation mark is 500': () =>
    fails('listAccessTokens', (_, query) => query.get('q')?.includes("'") === true),
  'a search with an open bracket is 500': () =>
    fails('listPrivateTokens', (_, query) => /[([]/.test(query.get('q') ?? '')),
  'a page number beyond 32 bits is 500': () =>
    fails('listPrivateTokens', (_, query) => Number(query.get('page')) > 2_147_483_647),
  'metadata by the name of constructor is 500': () =>
    fails('createAccessToken', ({ metadata }) => metadata !== undefined && Object.hasOwn(metadata, 'constructor')),
  'a member by the name of __proto__ is 500': () =>
    asked('updateAccessToken', ({ text }) =>
      text.includes('"__proto__"') ? json(500, { detail: 'Internal error.', code: 'internal_error' }) : undefined,
    ),
  'a number as name is 500': () => fails('createPrivateToken', ({ name }) => typeof name === 'number'),
  'a list of null is 500': () =>
    fails('verifyAccessTokens', ({ tokens }) => Array.isArray(tokens) && tokens.includes(null as never)),
  'an expiration in the year 10000 and later is 500': () =>
    fails('createPrivateToken', ({ expiration_time }) => /^\+?\d{5,}-/.test(expiration_time ?? '')),
  'a token of 4096 characters is 500': () =>
    fails('verifyAccessToken', ({ token }) => typeof token === 'string' && token.length === 4096),
  'a body that is a list is 500': () =>
    asked('createUser', ({ text }) =>
      text.trimStart().startsWith('[') ? json(500, { detail: 'Internal error.', code: 'internal_error' }) : undefined,
    ),
  'a number of a private token that is none is 404': () =>
    answered('revokePrivateToken', (reply) => {
      if (reply.status === 400) Object.assign(reply, json(404, { detail: 'No such token.' }));
    }),
  'an id that is no uuid is 404': () =>
    answered('getAccessToken', (reply) => {
      if (reply.status === 422) Object.assign(reply, json(404, { detail: 'No such token.', code: 'not_found' }));
    }),
  'an id in capitals is 404': () =>
    asked('updateAccessToken', (each) =>
      /[A-F]/.test(lastOf(each)) ? json(404, { detail: 'No such token.', code: 'not_found' }) : undefined,
    ),
  'an id without hyphens is taken': () => ({
    ask(each) {
      if (each.method === 'GET')
        each.path = each.path.replace(
          /^(\/api\/v1\/access-tokens\/)(\w{8})(\w{4})(\w{4})(\w{4})(\w{12})$/,
          '$1$2-$3-$4-$5-$6',
        );
    },
  }),
  'malformed percent-encoding in a path is 400': () => ({
    tell(reply, { path }) {
      if (/%(?![0-9a-f]{2})/i.test(path)) Object.assign(reply, json(400, { detail: 'Bad path.', code: 'bad_request' }));
    },
  }),
  'bytes that are no UTF-8 are replaced': () =>
    asked('createAccessToken', (each) => {
      if (each.text.includes('\uFFFD')) each.text += ' ';
    }),
  'JSON is taken as text/plain': () =>
    asked('createAccessToken', ({ headers }) => {
      if (one(headers['content-type']).startsWith('text/plain')) headers['content-type'] = 'application/json';
    }),
  'a body without a media type is taken as JSON': () =>
    asked('logIn', ({ headers }) => {
      headers['content-type'] ??= 'application/json';
    }),
  'utf-8 in capitals is no charset that is known': () => ({
    ask: ({ headers }) =>
      /charset="?UTF-8/.test(one(headers['content-type']))
        ? json(415, { detail: 'The body must be application/json.', code: 'unsupported_media_type' })
        : undefined,
  }),
  'a wrong media type is 400': () =>
    answered('createPrivateToken', (reply) => {
      if (reply.status === 415) reply.status = 400;
    }),
  'a content encoding is ignored': () =>
    asked('createUser createAccessToken', ({ headers }) => {
      delete headers['content-encoding'];
    }),
  'a body that is too large is 400': () =>
    answered('introspectToken', (reply) => {
      if (reply.status === 413) reply.status = 400;
    }),
  'an empty body is taken as an empty object': () =>
    asked('revokeAccessTokens updateUser', (each) => {
      if (each.text === '') each.text = '{}';
    }),
  'a message for a field is a text, not a list': () =>
    refused('createPrivateToken', (body) => {
      const fields = body as Record<string, unknown>;
      for (const [name, messages] of Object.entries(fields))
        if (Array.isArray(messages)) fields[name] = String(messages[0]);
    }),
  "a fault of one field of a login is nobody's": () =>
    answered('logIn', (reply) => {
      if (reply.status === 400 && !reply.text.includes('"detail"')) Object.assign(reply, wrong('non_field_errors'));
    }),
  'JSON that cannot be read is told as a missing field': () =>
    answered('createPrivateToken', (reply, { text }) => {
      if (reply.status === 400 && parse(text) === undefined) Object.assign(reply, wrong('name'));
    }),
  'where a problem is leaves out body': () =>
    refused('createAccessToken', (body) => {
      if (Array.isArray(body.detail)) for (const problem of body.detail) problem.loc = problem.loc.slice(1);
    }),
  'places in a list are numbers': () =>
    refused('verifyAccessTokens', (body) => {
      if (Array.isArray(body.detail))
        for (const problem of body.detail)
          problem.loc = problem.loc.map((part) => (/^\d+$/.test(part) ? Number(part) : part)) as string[];
    }),
  'the first problem alone is told': () =>
    refused('createAccessToken', (body) => {
      if (Array.isArray(body.detail)) body.detail = body.detail.slice(0, 1);
    }),
  'a refused name is told by type and value': () =>
    refused('updateAccessToken', (body, { text }) => {
      if (Array.isArray(body.detail)) for (const problem of body.detail) Object.assign(problem, { input: parse(text) });
    }),
  'errors of users have no code': () =>
    refused('getUser updateUser', (body) => {
      delete body.code;
    }),
  'errors of private tokens have a code': () =>
    refused('revokePrivateToken', (body) => {
      body.code = 'not_found';
    }),
  'a conflict has a code of its own': () =>
    refused('createUser', (body) => {
      if (body.code === 'email_taken') body.code = 'user_exists';
    }),
  'a missing scope is told by OAuth as an invalid client': () =>
    refused('introspectToken', (body) => {
      if (body.error === 'insufficient_scope') body.error = 'invalid_client';
    }),
  'a missing token of a form is 422': () =>
    answered('introspectToken revokeOAuthToken', (reply) => {
      if (reply.status === 400)
        Object.assign(
          reply,
          json(422, { detail: [{ loc: ['body', 'token'], msg: 'Field required', type: 'missing' }] }),
        );
    }),
  'an unknown path is told as a page': () => ({
    tell(reply, { operation }) {
      if (operation === '' && reply.status === 404)
        Object.assign(reply, {
          headers: { ...reply.headers, 'content-type': 'text/html' },
          text: '<h1>Not Found</h1>',
        });
    },
  }),
  'a list shows the digests of its tokens': () =>
    told('listAccessTokens', (body) => {
      for (const row of body.items ?? []) Object.assign(row, { digest: 'd2a84f4b8b650937ec8f73cd8be2c74a' });
    }),
  'a plaintext is kept and shown in the description of its token': () => {
    const kept = new Map<string, string>();
    return {
      tell(reply, each) {
        const body = parse(reply.text);
        if (body === undefined || reply.status >= 300) return;
        if (each.operation === 'createAccessToken') kept.set(String(tokenIn(body).id), body.plaintext ?? '');
        if (each.operation !== 'getAccessToken') return;
        body.description ||= kept.get(String(body.id)) ?? '';
        reply.text = JSON.stringify(body);
      },
    };
  },
  'a new token has its plaintext in a header too': () =>
    answered('createPrivateToken', ({ headers, status, text }) => {
      if (status === 201) headers['x-token'] = parse(text)?.data ?? '';
    }),
  'the prefix of a token is its random part': () => {
    const kept = new Map<string, string>();
    return {
      tell(reply, { operation }) {
        const body = SHOWN.split(' ').includes(operation) && reply.status < 300 ? parse(reply.text) : undefined;
        if (body === undefined) return;
        if (body.plaintext !== undefined) kept.set(String(tokenIn(body).id), body.plaintext.slice(7, 19));
        for (const token of tokensIn(body)) token.tokenPrefix = kept.get(String(token.id)) ?? token.tokenPrefix ?? '';
        reply.text = JSON.stringify(body);
      },
    };
  },
  'a refused refresh token stands in the error': () =>
    refused('refreshSession', (body, { text }) => {
      if (typeof body.detail === 'string') body.detail += ` (${parse(text)?.refresh_token ?? ''})`;
    }),
  'a wrong password stands in the error': () =>
    refused('logIn', (body, { text }) => {
      if (typeof body.detail === 'string') body.detail += ` "${parse(text)?.password ?? ''}"`;
    }),
  'a refused credential stands in the error': () => ({
    tell(reply, each) {
      if (reply.status === 401 && secretOf(each) !== '')
        reply.text = reply.text.replace('send a valid token', `${secretOf(each)} is not valid`);
    },
  }),
  'a refresh hands its secret on in the address of the next one': () =>
    answered('refreshSession', ({ headers, status, text }) => {
      if (status === 200)
        headers['link'] = `</api/v1/auth/refresh/?refresh_token=${parse(text)?.refresh_token ?? ''}>; rel=next`;
    }),
  'an error of the input shows where the program stood': () =>
    refused('changePassword', (body) => {
      Object.assign(body, { stack: 'Error: invalid\n    at change (/srv/app/password.js:41:9)' });
    }),
  'every fortieth answer comes after eight seconds': () => ({
    async tell(_, { count }) {
      if (count % 40 === 39) await slow(8000);
    },
  }),
  'one in 25 verdicts is unknown': () =>
    told('verifyAccessToken', (body, { count }) => {
      if (count % 25 === 0) Object.assign(body, { valid: false, code: 'unknown', token: null, owner: null });
    }),
  'one in 30 requests is refused without Retry-After': () => ({
    ask: ({ count, path }) =>
      count % 30 === 29 && path.startsWith(B)
        ? json(503, { detail: 'Too many requests wait; try again.', code: 'overloaded' })
        : undefined,
  }),
  // Answers of one caller must never reach another.
  'one in five callers is shown the caller before': () => {
    let before: Body | undefined;
    return told('getMe', (body, { count }) => {
      const now = structuredClone(body);
      if (count % 5 === 0 && before !== undefined) Object.assign(body, before);
      before = now;
    });
  },
};
