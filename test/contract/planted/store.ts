import { randomBytes } from 'node:crypto';
import type { Fault } from './faults.js';

export interface Key {
  id: number;
  name: string;
  kind: string;
  note: string | null;
  createdAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
}

export const USER = { email: 'ada@example.org', password: 'a password of Ada' };

/** Keys, their secrets and the sessions, in memory. */
export function createStore(has: (fault: Fault) => boolean) {
  const keys: { key: Key; secret: string }[] = [];
  const sessions = new Set<string>();
  const newSecret = () => randomBytes(18).toString('base64url');

  return {
    create(wish: Partial<Key>): { key: Key; secret: string } {
      const key: Key = {
        id: keys.length + 1,
        name: has('another name is stored') ? `${String(wish.name)} ` : String(wish.name),
        kind: wish.kind ?? 'read',
        note: wish.note ?? null,
        createdAt: has('createdAt is null') ? null : new Date().toISOString(),
        expiresAt: wish.expiresAt ?? null,
        revokedAt: null,
      };
      const made = { key, secret: newSecret() };
      keys.push(made);
      return { key: { ...key, name: String(wish.name) }, secret: made.secret };
    },
    find: (id: number) => keys.find(({ key }) => key.id === id),
    list({ kind, includeRevoked }: { kind: string | null; includeRevoked: boolean }) {
      const all = has('includeRevoked is always on') || (includeRevoked && !has('includeRevoked is never on'));
      let found = keys.filter(({ key }) => all || key.revokedAt === null);
      if (has('a new key is not listed')) found = found.slice(0, -1);
      if (kind === null || has('kind is ignored')) return found;
      found = found.filter(({ key }) => key.kind === kind);
      return has('kind loses rows') ? found.slice(1) : found;
    },
    revoke(key: Key, caller: string): void {
      if (has('revoking does nothing')) return;
      if (has("revoking ends the caller's session")) sessions.delete(caller);
      const revive = key.revokedAt !== null && has('revoking twice revives');
      key.revokedAt = revive ? null : (key.revokedAt ?? new Date().toISOString());
    },
    openSession(): string {
      const token = newSecret();
      sessions.add(token);
      return token;
    },
    endSession(token: string): void {
      if (!has('a session outlives its logout')) sessions.delete(token);
    },
    opens(token: string): boolean {
      const long = [...sessions, ...keys.map(({ secret }) => secret)];
      const start = token.slice(0, 16);
      if (has('the start of a token is enough') && start.length === 16 && long.some((each) => each.startsWith(start)))
        return true;
      if (sessions.has(token)) return true;
      const key = keys.find(({ secret }) => secret === token)?.key;
      if (key === undefined) return false;
      const revoked = key.revokedAt !== null && !has('a revoked key still opens');
      const expired =
        key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.now() && !has('an expired key still opens');
      return !revoked && !expired;
    },
  };
}

export type Store = ReturnType<typeof createStore>;
