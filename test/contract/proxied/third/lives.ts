import { answered, asAdmin, asked, B, both, credentialOf, parse, sent, tokenIn, told, trusted } from '../making.js';
import type { Ask, Asked, Body } from '../proxy.js';
import { barred, type Faults, later, omit, refusal, SHOWN, secretOf, tokenNow, tokensIn } from './parts.js';

// Rotation, grace and disabling.

const ROTATIONS = 'rotateAccessToken rotateCurrentAccessToken';

/** Whether this is an earlier secret of a token that is answered by its newest prefix. */
const isEarlier = (secret: string, token: Body) =>
  token.tokenPrefix !== undefined && secret !== '' && secret.slice(0, 12) !== token.tokenPrefix;

/** The token behind the credential. */
async function ownToken(each: Asked, service: Ask): Promise<Body> {
  return parse((await service('GET', `${B}/current`, { as: credentialOf(each) })).text) ?? {};
}

function withGrace(each: Asked, seconds: (before: number) => number): void {
  const body = parse(each.text === '' ? '{}' : each.text);
  const { gracePeriodSeconds = 0 } = body ?? {};
  if (body === undefined || typeof gracePeriodSeconds !== 'number') return;
  each.text = JSON.stringify({ ...body, gracePeriodSeconds: seconds(gracePeriodSeconds) });
  each.headers['content-type'] = 'application/json';
}

const secretAsked = ({ text }: Asked) => {
  const { token } = parse(text) ?? {};
  return typeof token === 'string' ? token : '';
};

export const LIVES: Faults = {
  'without a grace period the earlier secret serves for a minute': () =>
    asked(ROTATIONS, (each) => {
      withGrace(each, (before) => before || 60);
    }),
  'a grace period counts minutes': () =>
    asked(ROTATIONS, (each) => {
      withGrace(each, (before) => (before > 10_000 ? before : before * 60));
    }),
  'a grace period of more than seven days is cut': () =>
    asked(ROTATIONS, (each) => {
      withGrace(each, (before) => (Number.isInteger(before) ? Math.min(before, 604_800) : before));
    }),
  'a grace period is promised, and the earlier secret is dead': () => {
    const dead = new Set<string>();
    return both(
      barred(dead),
      answered('rotateCurrentAccessToken', ({ status }, each) => {
        if (status === 200 && secretOf(each).includes('_pat_')) dead.add(secretOf(each));
      }),
    );
  },
  'an earlier secret does not pass verification': () =>
    told('verifyAccessToken', (body, each) => {
      if (body.code === 'valid' && isEarlier(secretAsked(each), tokenIn(body)))
        Object.assign(body, { valid: false, code: 'expired' });
    }),
  'a verified earlier secret ends with its token': () => {
    const admin = asAdmin();
    return told('verifyAccessToken verifyAccessTokens', async (body, each, service) => {
      const asks = body.results ? (parse(each.text)?.tokens ?? []) : [parse(each.text) ?? {}];
      for (const [at, verdict] of (body.results ?? [body]).entries()) {
        const token = tokenIn(verdict);
        const secret = asks[at]?.token;
        if (typeof secret !== 'string' || !isEarlier(secret, token)) continue;
        const { text } = await service('GET', `${B}/${String(token.id)}`, { as: await admin(service) });
        token.expiresAt = parse(text)?.expiresAt ?? null;
      }
    });
  },
  'an introspected earlier secret ends with its token': () => {
    const admin = asAdmin();
    return told('introspectToken', async (body, each, service) => {
      if (body.active !== true) return;
      const { text } = await service('GET', `${B}/${String(body.jti)}`, { as: await admin(service) });
      const token = parse(text);
      if (token === undefined || !isEarlier(new URLSearchParams(each.text).get('token') ?? '', token)) return;
      if (token.expiresAt) body.exp = Math.floor(Date.parse(token.expiresAt) / 1000);
      else delete body.exp;
    });
  },
  'an earlier secret edits its token': () => {
    const inner = trusted('updateAccessToken', [403]);
    return {
      tell: (reply, each, service) =>
        reply.text.includes('superseded') ? inner.tell?.(reply, each, service) : undefined,
    };
  },
  'an earlier secret creates tokens': () => {
    const inner = trusted('createAccessToken createPrivateToken', [403]);
    return {
      tell: (reply, each, service) =>
        /newer secret/.test(reply.text) ? inner.tell?.(reply, each, service) : undefined,
    };
  },
  'an earlier secret may not end its own token': () => ({
    async ask(each, service) {
      if (each.operation !== 'revokeCurrentAccessToken') return undefined;
      return isEarlier(secretOf(each), await ownToken(each, service)) ? refusal(403, 'superseded_secret') : undefined;
    },
  }),
  'an earlier secret may not list': () => ({
    async ask(each, service) {
      if (each.operation !== 'listAccessTokens' || !secretOf(each).includes('_pat_')) return undefined;
      return isEarlier(secretOf(each), await ownToken(each, service)) ? refusal(403, 'superseded_secret') : undefined;
    },
  }),
  'a rotation with another lifetime keeps the former one': () =>
    sent('rotateAccessToken', (body) => {
      delete body.expiresInDays;
    }),
  'a rotation serves a disabled token again': () =>
    told('rotateAccessToken', async (body, each, service) => {
      const token = tokenIn(body);
      if (token.disabled !== true) return;
      await service('PATCH', `${B}/${String(token.id)}`, { as: credentialOf(each), body: { disabled: false } });
      token.disabled = false;
    }),
  'a rotation empties the metadata': () =>
    told('rotateAccessToken', async (body, each, service) => {
      const token = tokenIn(body);
      await service('PATCH', `${B}/${String(token.id)}`, { as: credentialOf(each), body: { metadata: {} } });
      token.metadata = {};
    }),
  'a rotation makes another token and revokes the first': () =>
    told('rotateAccessToken', async (body, each, service) => {
      const { name, description, metadata, scopes, id, tokenType } = tokenIn(body);
      if (tokenType !== 'pat') return;
      const as = credentialOf(each);
      const made = await service('POST', B, { as, body: { name, description, metadata, scopes } });
      if (made.status !== 201) return;
      await service('DELETE', `${B}/${String(id)}`, { as });
      Object.assign(body, parse(made.text));
    }),
  'a rotated token was created just now': () =>
    told(ROTATIONS, (body) => {
      tokenIn(body).createdAt = new Date().toISOString();
    }),
  'an expired token cannot be rotated': () => ({
    async ask(each, service) {
      const now = each.operation === 'rotateAccessToken' ? await tokenNow(each, service) : undefined;
      return now?.expiresAt && Date.parse(now.expiresAt) <= Date.now() ? refusal(409, 'token_expired') : undefined;
    },
  }),
  'ending earlier secrets by an edit ends none': () => ({
    ask: (each, service) =>
      each.operation === 'updateAccessToken' ? omit(each, service, 'previousSecret') : undefined,
  }),
  'the earlier secret of a token is not shown in lists': () =>
    told('listAccessTokens', (body) => {
      for (const token of tokensIn(body)) token.previousSecret = null;
    }),
  'a grace period seems to end an hour later than it does': () =>
    told(SHOWN, (body) => {
      for (const { previousSecret } of tokensIn(body))
        if (previousSecret?.validUntil !== undefined)
          previousSecret.validUntil = later(previousSecret.validUntil, 3_600_000);
    }),
  'an edit of a revoked token answers 200 and changes nothing': () =>
    answered('updateAccessToken', async (reply, each, service) => {
      if (reply.status === 409) Object.assign(reply, await service('GET', each.path, { as: credentialOf(each) }));
    }),
  'a token that is disabled stays so': () =>
    sent('updateAccessToken', (body) => {
      if (body.disabled === false) body.disabled = true;
    }),
};
