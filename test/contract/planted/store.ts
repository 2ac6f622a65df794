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
  labels: Record<string, string>;
  disabled: boolean;
}

export interface Entry {
  key: Key;
  /** The newest first; `endsAt` is null until there is a newer one. */
  secrets: { text: string; endsAt: number | null }[];
  version: number;
}

export const USER = { email: 'ada@example.org', password: 'a password of Ada' };

/** Keys, their secrets and the sessions, in memory. */
export function createStore(has: (fault: Fault) => boolean) {
  const entries: Entry[] = [];
  const sessions = new Set<string>();
  const newSecret = () => randomBytes(18).toString('base64url');
  const holderOf = (token: string) => entries.find(({ secrets }) => secrets.some(({ text }) => text === token));

  function isGood({ key, secrets }: Entry, token: string): boolean {
    const { endsAt } = secrets.find(({ text }) => text === token) ?? { endsAt: 0 };
    const revoked = key.revokedAt !== null && !has('a revoked key still opens');
    const disabled = key.disabled && !has('a disabled key still opens');
    const expired =
      key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.now() && !has('an expired key still opens');
    return !revoked && !disabled && !expired && (endsAt === null || endsAt > Date.now());
  }

  return {
    create(wish: Partial<Key>): { key: Key; secret: string } {
      const key: Key = {
        id: entries.length + 1,
        name: has('another name is stored') ? `${String(wish.name)} ` : String(wish.name),
        kind: wish.kind ?? 'read',
        note: wish.note ?? null,
        createdAt: has('createdAt is null') ? null : new Date().toISOString(),
        expiresAt: wish.expiresAt ?? null,
        revokedAt: null,
        labels: wish.labels ?? {},
        disabled: false,
      };
      const secret = newSecret();
      entries.push({ key, secrets: [{ text: secret, endsAt: null }], version: 1 });
      return { key: { ...key, name: String(wish.name) }, secret };
    },
    find: (id: number) => entries.find(({ key }) => key.id === id),
    holderOf,
    list({ kind, includeRevoked }: { kind: string | null; includeRevoked: boolean }) {
      const all = has('includeRevoked is always on') || (includeRevoked && !has('includeRevoked is never on'));
      let found = entries.filter(({ key }) => all || key.revokedAt === null);
      if (has('a new key is not listed')) found = found.slice(0, -1);
      if (kind === null || has('kind is ignored')) return found;
      found = found.filter(({ key }) => key.kind === kind);
      return has('kind loses rows') ? found.slice(1) : found;
    },
    revoke(entry: Entry, caller: string): void {
      const { key } = entry;
      if (has('revoking does nothing')) return;
      if (has("revoking ends the caller's session")) sessions.delete(caller);
      const revive = key.revokedAt !== null && has('revoking twice revives');
      key.revokedAt = revive ? null : (key.revokedAt ?? new Date().toISOString());
      entry.version++;
    },
    edit(entry: Entry, edit: Partial<Key>): void {
      const { note, ...rest } = edit;
      Object.assign(entry.key, rest);
      if (note !== undefined && !has('an edited note is not kept')) entry.key.note = note;
      if (!has('an edit keeps the entity tag')) entry.version++;
    },
    rotate(entry: Entry, graceSeconds: number): string {
      const secret = newSecret();
      const endsAt = Date.now() + graceSeconds * 1_000;
      const isKept = has('rotating leaves the earlier secret') && graceSeconds === 0;
      const isEndless = has('a grace period never ends') && graceSeconds > 0;
      if (!isKept && !isEndless) {
        const until = has('a grace period is none') ? Date.now() : endsAt;
        for (const each of entry.secrets) each.endsAt = Math.min(each.endsAt ?? Infinity, until);
      }
      const isStored = !has('a new secret opens nothing');
      entry.secrets.unshift({ text: isStored ? secret : newSecret(), endsAt: null });
      entry.version++;
      return secret;
    },
    openSession(): string {
      const token = newSecret();
      sessions.add(token);
      return token;
    },
    endSession(token: string): void {
      if (!has('a session outlives its logout')) sessions.delete(token);
    },
    isGood(token: string): boolean {
      const entry = holderOf(token);
      return entry !== undefined && isGood(entry, token);
    },
    opens(token: string): boolean {
      const long = [...sessions, ...entries.flatMap(({ secrets }) => secrets.map(({ text }) => text))];
      const start = token.slice(0, 16);
      if (has('the start of a token is enough') && start.length === 16 && long.some((each) => each.startsWith(start)))
        return true;
      const entry = holderOf(token);
      return sessions.has(token) || (entry !== undefined && isGood(entry, token));
    },
  };
}

export type Store = ReturnType<typeof createStore>;
