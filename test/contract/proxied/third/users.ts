import {
  answered,
  asAdmin,
  asked,
  B,
  both,
  credentialOf,
  json,
  lastOf,
  parse,
  sent,
  told,
  trusted,
} from '../making.js';
import type { Body } from '../proxy.js';
import { bare, barred, type Faults, omit, refusal, repeat, SHOWN, secretOf, tokensIn } from './parts.js';

// Users, their passwords, and whose a token is.

export const USERS: Faults = {
  "another's token can be looked at": () => trusted('getAccessToken', [404]),
  "another's token can be edited": () => trusted('updateAccessToken', [404]),
  "another's private token is revoked by its number": () => trusted('revokePrivateToken', [404]),
  'ids of others in a bulk are revoked, and counted as not found': () => {
    const admin = asAdmin();
    return told('revokeAccessTokens', async (body, each, service) => {
      if (!body.notFoundCount || body.dryRun === true) return;
      await service('POST', each.path, { as: await admin(service), body: parse(each.text) });
    });
  },
  "another's token is 403, one that never was is 404": () => {
    const admin = asAdmin();
    return answered('revokeAccessToken', async (reply, each, service) => {
      if (reply.status !== 404) return;
      const known = await service('GET', `${B}/${lastOf(each)}`, { as: await admin(service) });
      if (known.status === 200) Object.assign(reply, refusal(403, 'insufficient_scope'));
    });
  },
  "revoking another's token as administrator answers 204 and revokes nothing": () =>
    asked('revokeAccessToken', ({ query }) => (query.has('owner') ? bare(204) : undefined)),
  'the owner of a verified token is whoever asks': () =>
    told('verifyAccessToken verifyAccessTokens', async (body, each, service) => {
      const me = parse((await service('GET', '/api/v1/auth/me', { as: credentialOf(each) })).text)?.user;
      if (me?.email === undefined) return;
      for (const verdict of body.results ?? [body]) if (verdict.owner) verdict.owner.email = me.email;
    }),
  'the organization of an owner is another each time': () =>
    told('verifyAccessToken', (body) => {
      if (body.owner) body.owner.organizationId = crypto.randomUUID();
    }),
  'no use of a token is noted': () =>
    told(SHOWN, (body) => {
      for (const token of tokensIn(body)) token.lastUsedAt = null;
    }),
  'a token counts as used when it is made': () =>
    told(SHOWN, (body) => {
      for (const token of tokensIn(body)) token.lastUsedAt ??= token.createdAt ?? null;
    }),
  'passwords are cut at 72 bytes': () =>
    sent('logIn createUser changePassword', (body) => {
      const texts = body as Record<string, unknown>;
      for (const member of ['password', 'newPassword', 'currentPassword']) {
        const text = texts[member];
        if (typeof text === 'string') texts[member] = Buffer.from(text).subarray(0, 72).toString();
      }
    }),
  'white space at the end of a password is trimmed': () =>
    sent('logIn', (body) => {
      if (typeof body.password === 'string') body.password = body.password.trimEnd();
    }),
  'a password of eight characters is too short': () =>
    asked('createUser', ({ text }) =>
      parse(text)?.password?.length === 8
        ? json(422, { detail: [{ loc: ['body', 'password'], msg: 'Too short', type: 'string_too_short' }] })
        : undefined,
    ),
  'the password that was sent comes back': () =>
    told('createUser', (body, { text }) => {
      body.password ??= parse(text)?.password ?? null;
    }),
  'no password is made where none is sent': () =>
    told('createUser', (body) => {
      body.password = null;
    }),
  'an address is told as it was written': () =>
    told('createUser', (body, { text }) => {
      const { email } = parse(text) ?? {};
      if (body.user && email !== undefined) body.user.email = email;
    }),
  'an administrator is added as an ordinary user': () =>
    sent('createUser', (body) => {
      delete body.isAdmin;
    }),
  'a user without a name has null': () =>
    told('getUser', (body) => {
      if (body.fullName === '') Object.assign(body, { fullName: null });
    }),
  'adding a user who is there answers 201 and shows that one': () => {
    const admin = asAdmin();
    return answered('createUser', async (reply, each, service) => {
      if (reply.status !== 409) return;
      const email = parse(each.text)?.email?.toLowerCase() ?? '';
      const { text } = await service('GET', `/api/v1/users?q=${encodeURIComponent(email)}`, {
        as: await admin(service),
      });
      const user = parse(text)?.items?.find((row) => row.email === email);
      if (user === undefined) return;
      Object.assign(reply, json(201, { user, password: null }, { location: `/api/v1/users/${String(user.id)}` }));
    });
  },
  'a user is edited as administrator when anything else is': () =>
    sent('updateUser', (body) => {
      if (body.fullName !== undefined) body.isAdmin ??= true;
    }),
  'an edited name of a user is answered and not kept': () => {
    const made = new WeakMap<object, string>();
    return {
      ask(each, service) {
        const name = each.operation === 'updateUser' ? parse(each.text)?.fullName : undefined;
        if (typeof name !== 'string' || name.length > 255) return undefined;
        made.set(each, name);
        return omit(each, service, 'fullName');
      },
      tell(reply, each) {
        const body = parse(reply.text);
        const name = made.get(each);
        if (reply.status === 200 && body && name !== undefined)
          reply.text = JSON.stringify({ ...body, fullName: name });
      },
    };
  },
  'disabling a user is written down and does nothing': () => {
    const disabled = new Set<string>();
    return {
      ask(each, service) {
        const wanted = each.operation === 'updateUser' ? parse(each.text)?.disabled : undefined;
        if (wanted !== true && wanted !== false) return undefined;
        if (wanted) disabled.add(lastOf(each));
        else disabled.delete(lastOf(each));
        return omit(each, service, 'disabled');
      },
      tell(reply, each) {
        const body = /^(getUser|updateUser)$/.test(each.operation) ? parse(reply.text) : undefined;
        if (reply.status === 200 && body && disabled.has(lastOf(each)))
          reply.text = JSON.stringify({ ...body, disabled: true });
      },
    };
  },
  'the last administrator may go': () =>
    answered('updateUser', async (reply, each, service) => {
      if (reply.status !== 409) return;
      const { text } = await service('GET', each.path, { as: credentialOf(each) });
      const body = parse(text);
      if (body !== undefined) Object.assign(reply, json(200, { ...body, isAdmin: false }));
    }),
  'revokeTokens is taken and forgotten': () => ({
    ask: (each, service) => (each.operation === 'updateUser' ? omit(each, service, 'revokeTokens') : undefined),
  }),
  'another password revokes the tokens of a user too': () =>
    sent('updateUser', (body) => {
      if (body.password !== undefined) body.revokeTokens ??= true;
    }),
  'a user is edited whatever tag is demanded': () =>
    asked('updateUser', ({ headers }) => {
      delete headers['if-match'];
    }),
  'an edit of nothing is taken': () =>
    answered('updateUser', async (reply, each, service) => {
      if (reply.status === 422 && each.text.trim() === '{}')
        Object.assign(reply, await service('GET', each.path, { as: credentialOf(each) }));
    }),
  'a wrong current password is 401': () =>
    answered('changePassword', (reply, { text }) => {
      if (reply.status === 422 && reply.text.includes('currentPassword') && text.includes('currentPassword'))
        Object.assign(reply, refusal(401, 'unauthorized'));
    }),
  'changing the password with a personal access token answers 204 and changes nothing': () =>
    answered('changePassword', (reply, each) => {
      if (reply.status === 403 && secretOf(each).includes('_pat_')) Object.assign(reply, { status: 204, text: '' });
    }),
  'changing the password ends the session that does so': () => {
    const dead = new Set<string>();
    return both(
      barred(dead),
      answered('changePassword', ({ status }, each) => {
        if (status === 204) dead.add(secretOf(each));
      }),
    );
  },
  'changing the password ends personal access tokens': () =>
    answered('changePassword', async ({ status }, each, service) => {
      if (status !== 204) return;
      const filter = { tokenType: 'pat' };
      await service('POST', `${B}/revoke`, { as: credentialOf(each), body: { filter } });
    }),
  'the old password still logs in after a change': () => {
    const changed = new Map<string, string>();
    return both(
      answered('changePassword', ({ status }, { text }) => {
        const { currentPassword, newPassword } = (parse(text) ?? {}) as Record<string, string>;
        if (status === 204 && currentPassword !== undefined && newPassword !== undefined)
          changed.set(currentPassword, newPassword);
      }),
      {
        async tell(reply, each, service) {
          const body = each.operation === 'logIn' && reply.status === 401 ? parse(each.text) : undefined;
          const password = changed.get(body?.password ?? '');
          if (password === undefined) return;
          each.text = JSON.stringify({ ...body, password });
          Object.assign(reply, await repeat(each, service));
        },
      },
    );
  },
  'the password changes and the other sessions live on': () => {
    // The service keeps the first password, and logging in with the new one is translated.
    const first = new Map<string, string>();
    return both(
      {
        async ask(each, service) {
          const body = each.operation === 'changePassword' ? (parse(each.text) as Record<string, string>) : undefined;
          const { currentPassword = '', newPassword = '' } = body ?? {};
          if (newPassword.length < 8 || newPassword.length > 1024 || !secretOf(each).includes('_ses_'))
            return undefined;
          const { text } = await service('GET', '/api/v1/auth/me', { as: credentialOf(each) });
          const username = parse(text)?.user?.email;
          const password = first.get(`${username ?? ''} ${currentPassword}`) ?? currentPassword;
          const { status } = await service('POST', '/api/v1/auth/login/', { body: { username, password } });
          if (status !== 200) return undefined;
          first.set(`${username ?? ''} ${newPassword}`, password);
          return bare(204);
        },
      },
      sent('logIn', (body: Body) => {
        const password = first.get(`${body.username?.toLowerCase() ?? ''} ${body.password ?? ''}`);
        if (password !== undefined) body.password = password;
      }),
    );
  },
  'logging in and the caller disagree on whether the address is verified': () =>
    told('getMe', (body) => {
      if (body.user) body.user.emailVerified = body.user.emailVerified !== true;
    }),
  'every caller is told as administrator': () =>
    told('getMe', (body) => {
      if (body.user) body.user.isAdmin = true;
    }),
  'a disabled user gets the answer of a wrong password': () =>
    answered('logIn', (reply) => {
      if (reply.status === 403)
        Object.assign(reply, json(401, { detail: 'Wrong e-mail or password.' }, { 'www-authenticate': 'Bearer' }));
    }),
};
