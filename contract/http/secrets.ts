import { isObject, type Json, membersOf } from '../document/json.js';
import { isSecretName, isSecretOrPasswordName } from '../document/names.js';

/** Characters. Shorter texts appear in answers by chance. */
const SHORTEST = 10;
/** Characters. A shorter credential is masked only in places for credentials, because it may be an ordinary word. */
const SHORTEST_GIVEN = 6;
const MARKS = 65_536;

/** The secrets that no answer or report may contain: those that were sent and those that the server has issued. */
export interface Secrets {
  add(value: string, label?: string): void;
  /** Remembers texts that the run sends in members which are not secret. None of them is a secret from then on. */
  say(value: Json | undefined): void;
  /** Adds a password that the run has made up. It stops being a secret once the run sends the same text elsewhere. */
  addMadeUp(password: string): void;
  /**
   * Adds the value of every member of `value`, at any depth, whose name is that of a secret. A value that is in `sent`
   * as well is one that the run has made up.
   */
  addFrom(value: Json | undefined, sent?: Json): void;
  /** The secrets in `value` that `addFrom` would add. */
  issuedIn(value: Json | undefined): string[];
  /** The label of the first known secret in `text`; undefined if there is none. */
  leakIn(text: string): string | undefined;
  /** The label of a credential of any length; `$SECRET` if it is unknown. */
  labelOf(value: string): string;
  /** `value` with every string that equals a credential, of any length, replaced by its label. */
  maskWhole<T extends Json | undefined>(value: T): T;
  /** A body with credentials masked that are a whole JSON string or a whole form field. */
  maskBody(body: Uint8Array): Uint8Array;
  /** `text`, a header's value or a query, with credentials masked that are a whole part between separators. */
  maskPlaces(text: string): string;
  /** The labels of all secrets that were added. */
  labels(): Set<string>;
  /** `text` with every secret replaced by its label, such as `$TOKEN`. */
  mask(text: string): string;
}

/** Creates an empty set. Text in `published`, such as the examples of the document, is never a secret. */
export function createSecrets(published: string): Secrets {
  const labels = new Map<string, string>();
  /** Secrets by their first characters, so that `leakIn` reads a text only once. */
  const heads = new Map<string, Set<string>>();
  /** Which `markOf` values some secret has. A look-up in `heads` at each character of every answer would be slow. */
  const marks = new Uint8Array(MARKS);

  function add(value: string, label = '$SECRET'): void {
    if (label === '$SECRET' && labels.has(value)) return;
    const isGiven = label !== '$SECRET' && value !== '';
    if (value.length < SHORTEST && !isGiven) return;
    if (!labels.has(value) || label !== '$SECRET') labels.set(value, label);
    if (value.length < SHORTEST || published.includes(value)) return;
    for (const form of [value, JSON.stringify(value).slice(1, -1)]) {
      const head = form.slice(0, SHORTEST);
      heads.set(head, (heads.get(head) ?? new Set()).add(value));
      marks[markOf(head, 0)] = 1;
    }
  }

  const said = new Set<string>();
  const madeUp = new Set<string>();

  function say(value: Json | undefined): void {
    if (typeof value === 'string') {
      if (labels.has(value) !== madeUp.has(value)) return;
      said.add(value);
      if (!madeUp.delete(value)) return;
      labels.delete(value);
      for (const secrets of heads.values()) secrets.delete(value);
    } else if (Array.isArray(value)) value.forEach(say);
    else for (const [name, member] of membersOf(value)) if (!isSecretOrPasswordName(name)) say(member);
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
    say,
    addMadeUp(password) {
      if (said.has(password) || labels.has(password)) return;
      madeUp.add(password);
      add(password, '$PASSWORD');
    },
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
    addFrom(value, sent) {
      const own = JSON.stringify(sent ?? null);
      for (const secret of issuedIn(value)) {
        if (said.has(secret)) continue;
        if (!labels.has(secret) && own.includes(JSON.stringify(secret))) madeUp.add(secret);
        add(secret);
      }
    },
    leakIn(text) {
      for (let at = 0; at + SHORTEST <= text.length; at++) {
        if (marks[markOf(text, at)] === 0) continue;
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

/** A number below `MARKS` of the four characters from `at`. */
function markOf(text: string, at: number): number {
  const low = text.charCodeAt(at) * 31 + text.charCodeAt(at + 1);
  return (low * 961 + text.charCodeAt(at + 2) * 31 + text.charCodeAt(at + 3)) % MARKS;
}
