import type { EventAction } from '../database/index.js';

/**
 * An instant: RFC 3339 with a zone, or relative to the clock's time in `ms`, `s`, `m`, `h` or `d`, such as `-30d` or
 * `+12h`. In code a `Date` is allowed too.
 */
export type SeedInstant = string | Date;

/** The data that a local server starts with. Its schema is `latchkey/seed.schema.json`. */
export interface Seed {
  /** Path or URL of the schema, for editors. */
  $schema?: string;
  /** At most 1000. */
  users?: readonly SeedUser[];
  /** Owners of tokens without a password: at most 1000. Their ids count on after those of the users. */
  services?: readonly SeedService[];
  /** Owners of tokens whom your own system knows: at most 1000. Their ids count on after those of the services. */
  externalUsers?: readonly SeedExternalUser[];
  /** At most 50. They get what happens after the seed was planted. */
  webhooks?: readonly SeedWebhook[];
}

export interface SeedWebhook {
  /** Where deliveries go. Only URLs of this machine are really sent to; all others count as answered with 204. */
  url: string;
  /** `whsec_` and 24 to 64 bytes in Base64, with which a test verifies signatures; random by default. */
  secret?: string;
  /** A uuid; random by default. */
  id?: string;
  /** At most 255 characters; empty by default. */
  description?: string;
  /** The types of the events that it gets; null (the default) for all. */
  eventTypes?: readonly EventAction[] | null;
  /** Whether it is disabled, and gets nothing; false by default. */
  disabled?: boolean;
}

export interface SeedUser {
  email: string;
  /** 8 to 1024 characters; random by default. */
  password?: string;
  fullName?: string;
  isAdmin?: boolean;
  /** Whether the service rejects the user's password and tokens; false by default. */
  disabled?: boolean;
  /** The clock's time by default. */
  createdAt?: SeedInstant;
  /** At most 10000. */
  tokens?: readonly SeedToken[];
}

export interface SeedService {
  fullName: string;
  /** The e-mails of users of the seed; none by default. */
  managers?: readonly string[];
  /** The most scopes that its tokens can get; null (the default) for no limit. */
  scopes?: readonly string[] | null;
  /** Whether the service rejects its tokens; false by default. */
  disabled?: boolean;
  /** The clock's time by default. */
  createdAt?: SeedInstant;
  /** At most 10000, of type `pat`. */
  tokens?: readonly SeedToken[];
}

export interface SeedExternalUser {
  /** 1 to 255 characters, unique in the seed. */
  externalId: string;
  /** Empty by default. */
  fullName?: string;
  /** Null by default. */
  email?: string | null;
  /** At most 16 texts of at most 256 characters; empty by default. */
  metadata?: Record<string, string>;
  /** Whether the service rejects its tokens; false by default. */
  disabled?: boolean;
  /** The clock's time by default. */
  createdAt?: SeedInstant;
  /** At most 10000, of type `pat`. */
  tokens?: readonly SeedToken[];
}

export interface SeedToken {
  /** 1 to 255 characters. */
  name: string;
  /** A well-formed token, or 1 to 30 letters and digits from which one is made; random by default. */
  plaintext?: string;
  /** A uuid; random by default. */
  id?: string;
  /** `pat` by default. */
  type?: 'pat' | 'session';
  /** At most 1000 characters; empty by default. */
  description?: string;
  /** At most 16 texts of at most 256 characters; empty by default. */
  metadata?: Record<string, string>;
  /** At most 64 different scopes; by default all of its owner's, without those of administrators unless `type` is `session`. */
  scopes?: readonly string[];
  /** Whether its owner has disabled the token; false by default. */
  disabled?: boolean;
  /** The clock's time by default. */
  createdAt?: SeedInstant;
  /** Null (the default) for never. */
  expiresAt?: SeedInstant | null;
  /** Null (the default) for never. */
  lastUsedAt?: SeedInstant | null;
  /** Null (the default) for never. */
  revokedAt?: SeedInstant | null;
}

export interface SeededUser {
  id: number;
  email: string;
  password: string;
  tokens: readonly SeededToken[];
}

/** A service or an external owner of the seed. */
export interface SeededOwner {
  id: number;
  kind: 'service' | 'external';
  /** Null for a service. */
  externalId: string | null;
  fullName: string;
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
