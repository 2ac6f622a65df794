import { answered, asked, credentialOf, json, parse, stale, told } from '../making.js';
import { bare, type Faults } from './parts.js';

// What others are told of a token that they hold.

export const VERDICTS: Faults = {
  'a verdict is kept for five seconds': () => stale('verifyAccessToken', 5000),
  'introspection is kept for five seconds': () => stale('introspectToken', 5000),
  'a revoked token is told as unknown': () =>
    told('verifyAccessToken verifyAccessTokens', (body) => {
      for (const each of body.results ?? [body])
        if (each.code === 'revoked') Object.assign(each, { code: 'unknown', token: null, owner: null });
    }),
  'a token without the scopes that are asked for is not shown': () =>
    told('verifyAccessToken', (body) => {
      if (body.code === 'insufficient_scope') Object.assign(body, { token: null, owner: null });
    }),
  'a typing error in a token is told as unknown': () =>
    told('verifyAccessToken', (body) => {
      if (body.code === 'malformed') body.code = 'unknown';
    }),
  'a token of a disabled user passes': () =>
    told('verifyAccessToken', (body) => {
      if (body.code === 'owner_disabled') Object.assign(body, { valid: true, code: 'valid' });
    }),
  'a batch answers what passes first': () =>
    told('verifyAccessTokens', (body) => {
      body.results?.sort((a, b) => Number(b.valid) - Number(a.valid));
    }),
  'a token that stands twice in a batch is answered once': () =>
    told('verifyAccessTokens', (body, { text }) => {
      const { tokens = [] } = parse(text) ?? {};
      body.results =
        body.results?.filter((_, at) => tokens.findIndex(({ token }) => token === tokens[at]?.token) === at) ?? [];
    }),
  'a batch checks the scopes of its first question alone': () =>
    told('verifyAccessTokens', (body) => {
      for (const each of body.results?.slice(1) ?? [])
        if (each.code === 'insufficient_scope') Object.assign(each, { valid: true, code: 'valid' });
    }),
  'a batch of 100 is too large': () =>
    asked('verifyAccessTokens', ({ text }) =>
      parse(text)?.tokens?.length === 100
        ? json(422, { detail: [{ loc: ['body', 'tokens'], msg: 'Too many', type: 'too_long' }] })
        : undefined,
    ),
  'a batch with one word that is no token is refused': () =>
    answered('verifyAccessTokens', (reply) => {
      if (parse(reply.text)?.results?.some(({ code }) => code === 'malformed'))
        Object.assign(
          reply,
          json(422, { detail: [{ loc: ['body', 'tokens'], msg: 'No token', type: 'value_error' }] }),
        );
    }),
  'introspection says why a token is inactive': () =>
    told('introspectToken', (body) => {
      if (body.active === false) Object.assign(body, { code: 'unknown' });
    }),
  'the hint decides where a token is looked for': () =>
    told('introspectToken', (body, { text }) => {
      if (new URLSearchParams(text).get('token_type_hint') !== 'refresh_token') return;
      for (const name of Object.keys(body)) Reflect.deleteProperty(body, name);
      body.active = false;
    }),
  'parameters of OAuth that are not known are refused': () =>
    asked('introspectToken revokeOAuthToken', ({ text }) =>
      [...new URLSearchParams(text).keys()].some((name) => !/^token(_type_hint)?$/.test(name))
        ? json(400, { error: 'invalid_request', error_description: 'Unknown parameter.' })
        : undefined,
    ),
  'revoking an unknown token by OAuth is 400': () => ({
    async ask(each, service) {
      if (each.operation !== 'revokeOAuthToken') return undefined;
      const { text } = await service('POST', '/oauth/introspect', { as: credentialOf(each), body: each.text });
      return parse(text)?.active === false && !each.text.includes('_ref_')
        ? json(400, { error: 'invalid_request', error_description: 'Unknown token.' })
        : undefined;
    },
  }),
  'revoking a refresh token by OAuth leaves its session': () =>
    asked('revokeOAuthToken', ({ text }) => (/(^|&)token=[a-z0-9]+_ref_/.test(text) ? bare(200) : undefined)),
  'OAuth revokes where the token is the first parameter alone': () =>
    asked('revokeOAuthToken', ({ text }) =>
      text.includes('token=') && !text.startsWith('token=') ? bare(200) : undefined,
    ),
};
