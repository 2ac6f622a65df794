import { isObject, type Json } from '../spec/json.js';
import { isSecretName } from '../spec/names.js';

/** Shorter texts turn up by chance. */
const SHORTEST = 10;

/** What must not come back: the secrets that were sent and those that an answer has issued. */
export interface Secrets {
  add(value: string, label?: string): void;
  /** Remembers what members with the name of a secret hold, wherever they are in `value`. */
  addFrom(value: Json | undefined): void;
  /** The secrets in `value` that stand under the name of one, as `addFrom` finds them. */
  issuedIn(value: Json | undefined): string[];
  /** The label of the first known secret in `text`. */
  leakIn(text: string): string | undefined;
  /** `text` with every secret replaced by its label, such as `$TOKEN`. */
  mask(text: string): string;
}

/** `published` is text that everybody has, such as the spec: a secret that is an example there is none. */
export function createSecrets(published: string): Secrets {
  const labels = new Map<string, string>();
  /** Secrets by how they begin, so that a text is looked through once however many there are. */
  const heads = new Map<string, Set<string>>();

  function add(value: string, label = '$SECRET'): void {
    if (value.length < SHORTEST) return;
    if (!labels.has(value) || label !== '$SECRET') labels.set(value, label);
    if (published.includes(value)) return;
    for (const form of [value, JSON.stringify(value).slice(1, -1)]) {
      const head = form.slice(0, SHORTEST);
      heads.set(head, (heads.get(head) ?? new Set()).add(value));
    }
  }

  function tells(text: string, at: number, secret: string): boolean {
    return text.startsWith(secret, at) || text.startsWith(JSON.stringify(secret).slice(1, -1), at);
  }

  function issuedIn(value: Json | undefined): string[] {
    if (Array.isArray(value)) return value.flatMap(issuedIn);
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([name, member]) =>
      typeof member === 'string' ? (isSecretName(name) && member.length >= SHORTEST ? [member] : []) : issuedIn(member),
    );
  }

  return {
    add,
    issuedIn,
    addFrom(value) {
      for (const secret of issuedIn(value)) add(secret);
    },
    leakIn(text) {
      for (let at = 0; at + SHORTEST <= text.length; at++) {
        for (const secret of heads.get(text.slice(at, at + SHORTEST)) ?? []) {
          if (tells(text, at, secret)) return labels.get(secret);
        }
      }
      return undefined;
    },
    mask(text) {
      let masked = text;
      for (const [secret, label] of [...labels].sort(([a], [b]) => b.length - a.length)) {
        masked = masked.replaceAll(secret, label).replaceAll(encodeURIComponent(Buffer.from(secret).toString()), label);
      }
      return masked;
    },
  };
}
