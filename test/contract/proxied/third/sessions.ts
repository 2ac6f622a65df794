import { answered, asAdmin, asked, B, both, credentialOf, json, parse, slow, told } from '../making.js';
import type { Reply } from '../proxy.js';
import { bare, barred, type Faults, hasCookieAlone, secretOf, unauthorized } from './parts.js';

// Logging in and out, refreshing, and who the caller is.

export const SESSIONS: Faults = {
  'the cookie does not show who the caller is': () =>
    asked('getMe', (each) => (hasCookieAlone(each) ? unauthorized(each) : undefined)),
  'every caller came as bearer': () =>
    told('getMe', (body) => {
      if (body.session) body.session.authMethod = 'bearer';
    }),
  'a personal access token is told as a session': () =>
    told('getMe', async (body, each, service) => {
      if (body.session?.sessionId !== null) return;
      const { text } = await service('GET', `${B}/current`, { as: credentialOf(each) });
      body.session.sessionId = String(parse(text)?.id);
    }),
  'the session id changes with a refresh': () => {
    const made = new Map<string, string>();
    return both(
      told('refreshSession', ({ access_token = '' }) => {
        made.set(access_token, '019ab9d4-3bf0-7b3e-a1c2-d3e4f5a6b7c8');
      }),
      told('getMe', (body, each) => {
        const id = made.get(secretOf(each));
        if (id !== undefined && body.session) body.session.sessionId = id;
      }),
    );
  },
  'token_access is the refresh token': () =>
    told('logIn', (body) => {
      body.token_access = body.refresh_token ?? '';
    }),
  'an unknown address and a wrong password are told apart': () => {
    const admin = asAdmin();
    return answered('logIn', async (reply, each, service) => {
      const name = parse(each.text)?.username ?? '';
      if (reply.status !== 401) return;
      const { text } = await service('GET', `/api/v1/users?q=${encodeURIComponent(name)}`, {
        as: await admin(service),
      });
      if (parse(text)?.items?.length === 0) reply.text = JSON.stringify({ detail: 'There is no such user.' });
    });
  },
  'a wrong password takes half a second longer than an unknown address': () => {
    const admin = asAdmin();
    return answered('logIn', async (reply, each, service) => {
      const name = parse(each.text)?.username ?? '';
      if (reply.status !== 401) return;
      const { text } = await service('GET', `/api/v1/users?q=${encodeURIComponent(name)}`, {
        as: await admin(service),
      });
      if (parse(text)?.items?.length !== 0) await slow(500);
    });
  },
  'logging in minds the letter case of the address': () => {
    return asked('logIn', ({ text }) =>
      /[A-Z]/.test(parse(text)?.username ?? '')
        ? json(401, { detail: 'Wrong e-mail or password.' }, { 'www-authenticate': 'Bearer' })
        : undefined,
    );
  },
  'a spent refresh token gets its pair again': () => {
    const spent = new Map<string, Reply>();
    return {
      ask: ({ operation, text }) =>
        operation === 'refreshSession' ? structuredClone(spent.get(parse(text)?.refresh_token ?? '')) : undefined,
      tell(reply, { operation, text }) {
        if (operation === 'refreshSession' && reply.status === 200)
          spent.set(parse(text)?.refresh_token ?? '', structuredClone(reply));
      },
    };
  },
  'a spent refresh token is refused, and its session lives on': () => {
    const spent = new Set<string>();
    return {
      ask: ({ operation, text }) =>
        operation === 'refreshSession' && spent.has(parse(text)?.refresh_token ?? '')
          ? json(
              401,
              { detail: 'The refresh token is not valid.' },
              { 'www-authenticate': 'Bearer error="invalid_token"' },
            )
          : undefined,
      tell(reply, { operation, text }) {
        if (operation === 'refreshSession' && reply.status === 200) spent.add(parse(text)?.refresh_token ?? '');
      },
    };
  },
  'the earlier session token dies with a refresh': () => {
    const access = new Map<string, string>();
    const dead = new Set<string>();
    return both(barred(dead), {
      tell(reply, { operation, text }) {
        const { access_token = '', refresh_token = '' } = parse(reply.text) ?? {};
        if (reply.status !== 200 || !/^(logIn|refreshSession)$/.test(operation)) return;
        if (operation === 'refreshSession') dead.add(access.get(parse(text)?.refresh_token ?? '') ?? '');
        access.set(refresh_token, access_token);
      },
    });
  },
  'the refresh token outlives logging out': () => {
    const dead = new Set<string>();
    return both(barred(dead), {
      ask(each) {
        if (each.operation !== 'logOut' || !secretOf(each).includes('_ses_') || hasCookieAlone(each)) return undefined;
        dead.add(secretOf(each));
        const cookie = 'vai_token=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0';
        return { ...bare(204), headers: { ...bare(204).headers, 'set-cookie': [cookie] } };
      },
    });
  },
  'logging out with a personal access token revokes it': () =>
    answered('logOut', async ({ status }, each, service) => {
      if (status === 204 && secretOf(each).includes('_pat_'))
        await service('DELETE', `${B}/current`, { as: credentialOf(each) });
    }),
  'logging out twice is 204': () =>
    answered('logOut', (reply) => {
      if (reply.status === 401) Object.assign(reply, { status: 204, text: '' });
    }),
  'too many failures have no Retry-After': () =>
    answered('logIn changePassword', ({ status, headers }) => {
      if (status === 429) delete headers['retry-after'];
    }),
  'wrong passwords are never too many': () =>
    answered('logIn', (reply) => {
      if (reply.status === 429)
        Object.assign(reply, json(401, { detail: 'Wrong e-mail or password.' }, { 'www-authenticate': 'Bearer' }));
    }),
};
