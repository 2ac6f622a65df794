import { InvalidArgument } from '../config/invalid-argument.js';
import type { Deps } from '../deps.js';
import { OPERATOR } from '../tokens/actor.js';
import { kindOf } from '../tokens/format.js';
import { insertToken } from '../tokens/issue.js';
import { scopesOfUser } from '../tokens/scopes.js';
import { findUserForLogin } from '../users/users.js';
import type { As } from './options.js';
import { textOf, toPlaintext } from './plaintext.js';
import type { SeededOwner, SeededUser } from './seed.js';

const MINUTE = 60_000;

/** Finds the credentials of the callers that a test names. */
export interface Callers {
  /** Returns a function that finds the current token of `as`. Throws `InvalidArgument` for an unknown user or token. */
  tokenOf(as: As): () => Promise<string | undefined>;
  /** Opens a session without a password; undefined if no user has this e-mail. */
  openSession(email: string): Promise<string | undefined>;
  /** Forgets the sessions opened so far. */
  forget(): void;
}

export function createCallers(
  deps: Deps,
  users: () => readonly SeededUser[],
  owners: () => readonly SeededOwner[],
): Callers {
  const sessions = new Map<string, { token: Promise<string>; until: number }>();

  async function openSession(email: string): Promise<string | undefined> {
    const found = await findUserForLogin(deps, { email });
    if (found === undefined) return undefined;
    const createdAt = deps.now();
    const expiresAt = createdAt + deps.config.sessionMinutes * MINUTE;
    const owner = { organizationId: found.user.organization.id, ownerId: found.user.id };
    const scopes = scopesOfUser(found.user.isAdmin);
    const session = { owner, type: 'session', name: 'session', scopes, createdAt, expiresAt } as const;
    const { plaintext } = await deps.db.write((trx) => insertToken(deps, trx, OPERATOR, session));
    return textOf(plaintext);
  }

  function sessionOf(email: string): Promise<string> {
    const now = deps.now();
    const session = sessions.get(email);
    if (session !== undefined && session.until > now) return session.token;
    const token = openSession(email).then((opened) => {
      if (opened === undefined) throw new InvalidArgument(`there is no user ${email}`);
      return opened;
    });
    sessions.set(email, { token, until: now + deps.config.sessionMinutes * MINUTE });
    // A failure must not be kept: the user may exist at the next call.
    token.catch(() => sessions.delete(email));
    return token;
  }

  function plaintextOf(as: string): string {
    if (kindOf(deps.config.brand, as) !== undefined) return as;
    const known = [...users(), ...owners()].flatMap(({ tokens }) => tokens.map(({ plaintext }) => plaintext));
    const made = /^[0-9A-Za-z]{1,30}$/.test(as)
      ? (['pat', 'ses'] as const).map((kind) => toPlaintext(deps.config.brand, kind, as, 'as'))
      : [];
    const plaintext = made.find((text) => known.includes(text));
    if (plaintext === undefined) {
      throw new InvalidArgument(
        'as must be the e-mail of a user, a token, the shorthand of a seeded token, or null for no credential',
      );
    }
    return plaintext;
  }

  return {
    openSession,
    forget: () => {
      sessions.clear();
    },
    tokenOf(as) {
      if (as === null) return () => Promise.resolve(undefined);
      const caller = as ?? users()[0]?.email ?? '';
      if (caller.includes('@')) return () => sessionOf(caller);
      const plaintext = plaintextOf(caller);
      return () => Promise.resolve(plaintext);
    },
  };
}
