import { isObject, type Json } from '../document/json.js';
import { isSecretName } from '../document/names.js';

/** Shorter texts turn up by chance. */
const SHORTEST = 10;
/** Shorter credentials are masked only where a credential stands, for they may be a word of any answer. */
const SHORTEST_GIVEN = 6;

/** What must not come back: the secrets that were sent and those that an answer has issued. */
export interface Secrets {
  add(value: string, label?: string): void;
  /** Remembers what members with the name of a secret hold, wherever they are in `value`. */
  addFrom(value: Json | undefined): void;
  /** The secrets in `value` that stand under the name of one, as `addFrom` finds them. */
  issuedIn(value: Json | undefined): string[];
  /** The label of the first known secret in `text`. */
  leakIn(text: string): string | undefined;
  /** What stands for a text that is a credential, however short it is: its label, else `$SECRET`. */
  labelOf(value: string): string;
  /** `value` with every text that is a credential as a whole replaced by its label, however short it is. */
  maskWhole<T extends Json | undefined>(value: T): T;
  /** A body as it stands, in which credentials are masked where they are a whole text of JSON or a field of a form. */
  maskBody(body: Uint8Array): Uint8Array;
  /** `text` with every credential masked that stands between its separators: a header's value, or a query. */
  maskPlaces(text: string): string;
  /** The labels of what was added. */
  labels(): Set<string>;
  /** `text` with every secret replaced by its label, such as `$TOKEN`. */
  mask(text: string): string;
}

/** `published` is text that everybody has, such as the spec: a secret that is an example there is none. */
export function createSecrets(published: string): Secrets {
  const labels = new Map<string, string>();
  /** Secrets by how they begin, so that a text is looked through once however many there are. */
  const heads = new Map<string, Set<string>>();

  function add(value: string, label = '$SECRET'): void {
    const isGiven = label !== '$SECRET' && value !== '';
    if (value.length < SHORTEST && !isGiven) return;
    if (!labels.has(value) || label !== '$SECRET') labels.set(value, label);
    if (value.length < SHORTEST || published.includes(value)) return;
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

  function maskWhole(value: Json | undefined): Json | undefined {
    if (typeof value === 'string') return labels.get(value) ?? value;
    if (Array.isArray(value)) return value.map((item) => maskWhole(item) ?? null);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskWhole(member) ?? null]));
  }

  return {
    add,
    issuedIn,
    labelOf: (value) => labels.get(value) ?? '$SECRET',
    maskWhole: maskWhole as Secrets['maskWhole'],
    maskBody(body) {
      let text = Buffer.from(body).toString('utf8');
      if (!Buffer.from(text).equals(body)) return body;
      for (const [secret, label] of labels) {
        text = text.replaceAll(JSON.stringify(secret), JSON.stringify(label));
        const field = encodeURIComponent(Buffer.from(secret).toString());
        text = text.replace(/=([^&=]+)(?=&|$)/g, (whole, value: string) => (value === field ? `=${label}` : whole));
      }
      return Buffer.from(text);
    },
    maskPlaces(text) {
      let masked = text;
      for (const [secret, label] of labels) {
        for (const form of [secret, encodeURIComponent(Buffer.from(secret).toString())]) {
          const place = new RegExp(`(^|[=\\s;,])${form.replace(/[.*+?^$(){}|[\]\\]/g, '\\$&')}(?=$|[&;,\\s])`, 'g');
          masked = masked.replace(place, (_, before: string) => `${before}${label}`);
        }
      }
      return masked;
    },
    labels: () => new Set(labels.values()),
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
        if (secret.length < SHORTEST && (secret.length < SHORTEST_GIVEN || published.includes(secret))) continue;
        masked = masked.replaceAll(secret, label).replaceAll(encodeURIComponent(Buffer.from(secret).toString()), label);
      }
      return masked;
    },
  };
}
