/**
 * A moment of a seed: RFC 3339 with a zone, or from the clock's time on, in `ms`, `s`, `m`, `h` or `d`, such as `-30d`.
 * From code a `Date` serves, too.
 */
export type SeedInstant = string | Date;

/** What is in the database at the start; `latchkey/seed.schema.json` says what is allowed. */
export interface Seed {
  /** The schema, for editors. */
  $schema?: string;
  /** At most 1000. */
  users?: readonly SeedUser[];
}

export interface SeedUser {
  email: string;
  /** 8 to 1024 characters; made at random where there is none. */
  password?: string;
  fullName?: string;
  isAdmin?: boolean;
  /** Whether neither the password nor a token of the user opens anything. */
  disabled?: boolean;
  /** The clock's time by default. */
  createdAt?: SeedInstant;
  /** At most 10000. */
  tokens?: readonly SeedToken[];
}

export interface SeedToken {
  /** 1 to 255 characters. */
  name: string;
  /** A well-formed token, or 1 to 30 letters and digits to make one of; made at random where there is none. */
  plaintext?: string;
  /** A uuid; made at random where there is none. */
  id?: string;
  /** `pat` by default. */
  type?: 'pat' | 'session';
  /** At most 1000 characters; empty by default. */
  description?: string;
  /** At most 16 texts of at most 256 characters; empty by default. */
  metadata?: Record<string, string>;
  /** At most 64 different ones; by default all that its owner may do at the service. */
  scopes?: readonly string[];
  /** Whether its owner has stopped the token for the time being. */
  disabled?: boolean;
  /** The clock's time by default. */
  createdAt?: SeedInstant;
  /** Null, the default, for never; so for the others. */
  expiresAt?: SeedInstant | null;
  lastUsedAt?: SeedInstant | null;
  revokedAt?: SeedInstant | null;
}

export interface SeededUser {
  id: number;
  email: string;
  password: string;
  tokens: readonly SeededToken[];
}

export interface SeededToken {
  /** The id among private tokens. */
  privateTokenId: number;
  /** The id among access tokens, a uuid. */
  id: string;
  name: string;
  plaintext: string;
}
