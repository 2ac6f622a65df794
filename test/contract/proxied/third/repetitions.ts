import { A, answered, asked, B, credentialOf, json, parse, told } from '../making.js';
import type { Asked, Reply } from '../proxy.js';
import { type Faults, one, refusal, repeat, secretOf, tokenNow } from './parts.js';

// Idempotency keys, conditions, and requests at one time.

const keyOf = ({ headers }: Asked) => one(headers['idempotency-key']);

export const REPETITIONS: Faults = {
  'the Idempotency-Key is ignored where private tokens are made': () =>
    asked('createPrivateToken', ({ headers }) => {
      delete headers['idempotency-key'];
    }),
  'a repeated rotation rotates once more': () =>
    asked('rotateAccessToken rotateCurrentAccessToken', ({ headers }) => {
      delete headers['idempotency-key'];
    }),
  'a key with another body gets the first answer': () => {
    const kept = new Map<string, Reply>();
    const nameOf = (each: Asked) => `${secretOf(each)} ${keyOf(each)}`;
    return {
      ask: (each) =>
        each.operation === 'createAccessToken' && keyOf(each) !== ''
          ? structuredClone(kept.get(nameOf(each)))
          : undefined,
      tell(reply, each) {
        if (each.operation === 'createAccessToken' && reply.status === 201)
          kept.set(nameOf(each), structuredClone(reply));
      },
    };
  },
  'a key is one for all callers': () => {
    const kept = new Map<string, Reply>();
    const nameOf = (each: Asked) => `${keyOf(each)} ${each.text}`;
    return {
      ask: (each) =>
        each.operation === 'createAccessToken' && keyOf(each) !== '' && secretOf(each) !== ''
          ? structuredClone(kept.get(nameOf(each)))
          : undefined,
      tell(reply, each) {
        if (each.operation === 'createAccessToken' && reply.status === 201)
          kept.set(nameOf(each), structuredClone(reply));
      },
    };
  },
  'the letter case of a key does not matter': () =>
    asked('createAccessToken createPrivateToken', ({ headers }) => {
      if (headers['idempotency-key'] !== undefined)
        headers['idempotency-key'] = one(headers['idempotency-key']).toLowerCase();
    }),
  'a key of 255 characters is refused': () =>
    asked('createAccessToken', (each) =>
      keyOf(each).length === 255
        ? json(422, { detail: [{ loc: ['header', 'Idempotency-Key'], msg: 'Too long', type: 'string_too_long' }] })
        : undefined,
    ),
  'a key of more than 255 characters is cut': () =>
    asked('createAccessToken', (each) => {
      if (keyOf(each).length > 255) each.headers['idempotency-key'] = keyOf(each).slice(0, 255);
    }),
  'a repetition is told without the plaintext': () => {
    const seen = new Set<string>();
    return told('createPrivateToken', (body, each) => {
      if (keyOf(each) === '') return;
      if (seen.has(keyOf(each))) body.data = `lk_pat_${'*'.repeat(36)}`;
      seen.add(keyOf(each));
    });
  },
  'a repetition has no Location': () => {
    const seen = new Set<string>();
    return answered('createAccessToken', ({ headers }, each) => {
      if (seen.has(keyOf(each))) delete headers.location;
      if (keyOf(each) !== '') seen.add(keyOf(each));
    });
  },
  'a repetition is 409': () => {
    const seen = new Set<string>();
    return asked('rotateAccessToken', (each) => {
      if (keyOf(each) === '') return undefined;
      if (seen.has(keyOf(each))) return refusal(409, 'idempotency_conflict');
      seen.add(keyOf(each));
      return undefined;
    });
  },
  // A refusal of input changes nothing, so that the key is still free.
  'a refused request uses up its key': () => {
    const kept = new Map<string, Reply>();
    return {
      ask: (each) => (each.operation === 'createAccessToken' ? structuredClone(kept.get(keyOf(each))) : undefined),
      tell(reply, each) {
        if (each.operation === 'createAccessToken' && keyOf(each) !== '' && reply.status === 422)
          kept.set(keyOf(each), structuredClone(reply));
      },
    };
  },
  'of two requests at one time with one key each makes a token': () => {
    const open = new Set<string>();
    return {
      ask(each) {
        if (each.operation !== 'createAccessToken' || keyOf(each) === '') return;
        if (open.has(keyOf(each))) delete each.headers['idempotency-key'];
        else open.add(keyOf(each));
      },
      tell: (_, each) => open.delete(keyOf(each)),
    };
  },
  'two tokens of one name that are made at one time are one': () => {
    const open = new Map<string, (reply: Reply) => void>();
    const nameOf = (each: Asked) => `${secretOf(each)} ${each.text}`;
    const waiting = new Map<string, Promise<Reply>>();
    return {
      async ask(each) {
        if (each.operation !== 'createAccessToken' || keyOf(each) !== '') return undefined;
        const first = waiting.get(nameOf(each));
        if (first !== undefined) return structuredClone(await first);
        waiting.set(nameOf(each), new Promise((resolve) => open.set(nameOf(each), resolve)));
        return undefined;
      },
      tell(reply, each) {
        open.get(nameOf(each))?.(reply);
        open.delete(nameOf(each));
        waiting.delete(nameOf(each));
      },
    };
  },
  'of two edits at one time the later one brings the earlier one back': () => {
    let running = 0;
    return {
      async ask(each, service) {
        if (each.operation !== 'updateAccessToken') return;
        running += 1;
        if (running === 1) return;
        const now = await tokenNow(each, service);
        const body = parse(each.text);
        if (now && body) each.text = JSON.stringify({ name: now.name, description: now.description, ...body });
      },
      tell(_, each) {
        if (each.operation === 'updateAccessToken') running -= 1;
      },
    };
  },
  'a token is revoked whatever tag is demanded': () =>
    asked('revokeAccessToken', ({ headers }) => {
      delete headers['if-match'];
    }),
  'a private token is revoked whatever tag is demanded': () =>
    asked('revokePrivateToken', ({ headers }) => {
      delete headers['if-match'];
    }),
  'weak tags match': () =>
    asked('updateAccessToken', ({ headers }) => {
      if (headers['if-match'] !== undefined) headers['if-match'] = headers['if-match'].replaceAll('W/', '');
    }),
  'the first of several tags counts': () =>
    asked('updateAccessToken rotateAccessToken', ({ headers }) => {
      if (headers['if-match'] !== undefined) headers['if-match'] = headers['if-match'].replace(/,.*/, '');
    }),
  'a star matches no token': () =>
    asked('rotateAccessToken', ({ headers }) =>
      headers['if-match']?.trim() === '*' ? refusal(412, 'precondition_failed') : undefined,
    ),
  'If-None-Match is ignored where a token is edited': () =>
    asked('updateAccessToken', ({ headers }) => {
      delete headers['if-none-match'];
    }),
  // GET ignores conditions.
  'a token that is as before is 304': () =>
    answered('getAccessToken', (reply, { headers }) => {
      if (reply.status === 200 && reply.headers.etag === headers['if-none-match'])
        Object.assign(reply, { status: 304, text: '' });
    }),
  'a stale If-Match makes getting a token 412': () =>
    answered('getAccessToken', (reply, { headers }) => {
      const tag = headers['if-match'];
      if (reply.status === 200 && tag !== undefined && tag !== '*' && tag !== reply.headers.etag)
        Object.assign(reply, refusal(412, 'precondition_failed'));
    }),
  'If-Unmodified-Since is compared with the creation': () =>
    asked('updateAccessToken', async (each, service) => {
      const at = Date.parse(one(each.headers['if-unmodified-since']));
      const now = Number.isFinite(at) ? await tokenNow(each, service) : undefined;
      return now?.createdAt !== undefined && Date.parse(now.createdAt) > at
        ? refusal(412, 'precondition_failed')
        : undefined;
    }),
  'a revocation that fails its condition revokes all the same': () =>
    answered('revokeAccessToken', async ({ status }, each, service) => {
      if (status !== 412) return;
      delete each.headers['if-match'];
      delete each.headers['if-none-match'];
      await repeat(each, service);
    }),
  'an edit that fails its condition keeps the description': () =>
    answered('updateAccessToken', async ({ status }, each, service) => {
      const { description } = parse(each.text) ?? {};
      if (status === 412 && description !== undefined)
        await service('PATCH', each.path, { as: credentialOf(each), body: { description } });
    }),
  'revoking again with an old tag is 412': () => ({
    async ask(each, service) {
      if (each.operation !== 'revokeAccessToken' || each.headers['if-match'] === undefined) return undefined;
      const now = await tokenNow(each, service);
      return now?.revokedAt ? refusal(412, 'precondition_failed') : undefined;
    },
  }),
  'the token in use ends whatever tag is demanded': () =>
    asked('revokeCurrentAccessToken rotateCurrentAccessToken', ({ headers }) => {
      delete headers['if-match'];
    }),
  'a condition on a whole list decides whether it is revoked': () =>
    asked('revokeAllAccessTokens', ({ headers }) =>
      headers['if-match'] === undefined ? undefined : refusal(412, 'precondition_failed'),
    ),
  'every fifteenth token is made twice': () =>
    answered('createAccessToken', async ({ status }, each, service) => {
      if (status === 201 && each.count % 15 === 0)
        await service('POST', B, { as: credentialOf(each), body: parse(each.text) });
    }),
  'every twentieth private token is answered with 500, though it is made': () =>
    answered('createPrivateToken', (reply, { count }) => {
      if (reply.status === 201 && count % 20 === 0) Object.assign(reply, json(500, { detail: 'Internal error.' }));
    }),
  'a refused private token is made all the same': () =>
    answered('createPrivateToken', async ({ status }, each, service) => {
      const { name } = parse(each.text) ?? {};
      if (status !== 400 || typeof name !== 'string') return;
      await service('POST', A, { as: credentialOf(each), body: { name, expiration_time: '2031-01-01T00:00:00Z' } });
    }),
  'an edit with one wrong member changes the others': () =>
    answered('updateAccessToken', async ({ status }, each, service) => {
      const { description } = parse(each.text) ?? {};
      if (status === 422 && typeof description === 'string')
        await service('PATCH', each.path, { as: credentialOf(each), body: { description } });
    }),
};
