import { B, credentialOf, json, parse, USUAL } from '../making.js';
import type { Ask, Asked, Body, Fault, Reply } from '../proxy.js';

// What several faults of this set share.

export type Faults = Record<string, () => Fault>;

export const DAY = 86_400_000;

/** Both APIs' answer to bad input, about one part of it. */
export const invalid = (loc: string[], type: string): Reply =>
  json(422, { detail: [{ loc, msg: 'Input should be valid', type }] });

/** An answer without a body. */
export const bare = (status: number): Reply => ({ status, headers: { ...USUAL }, text: '' });

export const wrong = (field: string): Reply => json(400, { [field]: ['Input should be valid'] });

export const refusal = (status: number, code: string): Reply =>
  json(status, { detail: 'The request is refused.', code });

/** The answer to a credential that opens nothing, in the shape of its API. */
export function unauthorized({ path }: Asked): Reply {
  const detail = 'Authentication is required: send a valid token.';
  const isPrivate = path.startsWith('/api/v1/auth/private_tokens');
  return json(401, isPrivate ? { detail } : { detail, code: 'unauthorized' }, {
    'www-authenticate': 'Bearer error="invalid_token"',
  });
}

export const one = (value: string | string[] | undefined): string =>
  (typeof value === 'string' ? value : value?.[0]) ?? '';

/** The secret that a request sends as its credential, in whatever way. */
export function secretOf({ headers }: Asked): string {
  const all = [headers.authorization, one(headers['x-api-key']), headers.cookie].join(' ');
  return /[a-z0-9]+_(?:pat|ses|ref)_[0-9A-Za-z]{36}/.exec(all)?.[0] ?? '';
}

export const hasCookieAlone = ({ headers }: Asked) =>
  headers.cookie?.includes('vai_token=') === true &&
  headers.authorization === undefined &&
  headers['x-api-key'] === undefined;

/** Refuses these secrets. */
export const barred = (dead: Set<string>): Fault => ({
  ask: (each) => (dead.has(secretOf(each)) ? unauthorized(each) : undefined),
});

/** The request once more, as it came but for what was changed since. */
export function repeat(each: Asked, service: Ask): Promise<Reply> {
  const query = each.query.toString();
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(each.headers)) if (typeof value === 'string') headers[name] = value;
  const isForm = one(each.headers['content-type']).startsWith('application/x-www-form-urlencoded');
  return service(each.method, `${each.path}${query === '' ? '' : `?${query}`}`, {
    headers,
    body: isForm ? each.text : parse(each.text),
  });
}

/** The access token that a path names, as its caller sees it. */
export async function tokenNow(each: Asked, service: Ask): Promise<Body | undefined> {
  const reply = await service('GET', `${B}/${each.path.split('/')[4] ?? ''}`, { as: credentialOf(each) });
  return reply.status === 200 ? parse(reply.text) : undefined;
}

/** Every access token in an answer, wherever it stands. */
export function tokensIn(body: Body): Body[] {
  const inner = typeof body.token === 'object' && body.token !== null ? [body.token] : [];
  const rows = [...(body.items ?? []), ...(body.tokens ?? []), ...(body.results ?? []).flatMap(tokensIn)];
  return [...('tokenPrefix' in body ? [body] : []), ...inner, ...rows];
}

export const SHOWN =
  'createAccessToken getAccessToken updateAccessToken getCurrentAccessToken listAccessTokens rotateAccessToken rotateCurrentAccessToken revokeAccessTokens';

export const later = (instant: string, milliseconds: number): string =>
  new Date(Date.parse(instant) + milliseconds).toISOString();

/** Removes a member; where the request then asks for nothing, its target is answered as it is. */
export function omit(each: Asked, service: Ask, member: keyof Body): Promise<Reply> | undefined {
  const body = parse(each.text);
  if (body === undefined || !(member in body)) return undefined;
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => name !== member));
  if (Object.keys(rest).length === 0) return service('GET', each.path, { as: credentialOf(each) });
  each.text = JSON.stringify(rest);
  return undefined;
}

/** Gives what was made up or came of another request what every answer has, so that it differs by its fault alone. */
export function dressed(plant: () => Fault): () => Fault {
  return () => {
    const fault = plant();
    return {
      async ask(each, service) {
        const reply = (await fault.ask?.(each, service)) as Reply | undefined;
        if (reply !== undefined) reply.headers = { ...reply.headers, 'x-request-id': 'planted' };
        return reply;
      },
      async tell(reply, each, service) {
        const before = reply.headers;
        await fault.tell?.(reply, each, service);
        if (reply.headers === before && before['x-request-id'] !== 'planted') return;
        const own = one(each.headers['x-request-id']);
        reply.headers['x-request-id'] = /^[A-Za-z0-9._-]{1,128}$/.test(own) ? own : crypto.randomUUID();
        const as = secretOf(each);
        delete reply.headers['latchkey-token-expires-at'];
        if (as === '' || reply.status === 401 || /^(logIn|refreshSession|get(Health|Open).*)$/.test(each.operation))
          return;
        const { headers } = await service('GET', '/api/v1/auth/me', { as: `Bearer ${as}` });
        const end = headers['latchkey-token-expires-at'];
        if (end !== undefined) reply.headers['latchkey-token-expires-at'] = end;
      },
    };
  };
}
