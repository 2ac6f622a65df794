import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { v7 } from 'uuid';
import { InvalidArgument } from '../config/invalid-argument.js';
import { EVENT_ACTIONS, type EventAction } from '../database/index.js';
import { isAllowedFor } from '../tokens/administrators.js';
import { type Ceiling, isBelow } from '../tokens/ceiling.js';
import { reservedBy, scopesOfUser } from '../tokens/scopes.js';
import { generatePassword } from '../users/passwords.js';
import { canonicalEmail } from '../users/users.js';
import { newSecret } from '../webhooks/secret.js';
import { type Moment, toMoment, toMomentOrNull } from './moment.js';
import { toPlaintext } from './plaintext.js';
import { newTestingAjv, problemOf } from './schema.js';
import type { Seed, SeededOwner, SeededToken, SeededUser, SeedToken, SeedUser, SeedWebhook } from './seed.js';

export interface ReadyToken extends SeededToken {
  type: 'pat' | 'session';
  description: string;
  metadata: Record<string, string>;
  scopes: readonly string[];
  disabled: boolean;
  createdAt: Moment;
  expiresAt: Moment | null;
  lastUsedAt: Moment | null;
  revokedAt: Moment | null;
}

export interface ReadyUser extends SeededUser {
  fullName: string;
  isAdmin: boolean;
  disabled: boolean;
  createdAt: Moment;
  tokens: readonly ReadyToken[];
}

/** A service or an external owner. */
export interface ReadyOwner extends SeededOwner {
  email: string | null;
  metadata: Record<string, string>;
  /** The ids of users. */
  managers: readonly number[];
  scopes: readonly string[] | null;
  disabled: boolean;
  createdAt: Moment;
  tokens: readonly ReadyToken[];
}

export interface ReadyWebhook {
  id: string;
  url: string;
  secret: string;
  description: string;
  eventTypes: readonly EventAction[] | null;
  disabled: boolean;
}

/** A validated seed whose random values are already chosen, so that each `reset` writes the same data. */
export interface ReadySeed {
  users: readonly ReadyUser[];
  /** Whether the seed itself has users. */
  hasUsers: boolean;
  owners: readonly ReadyOwner[];
  webhooks: readonly ReadyWebhook[];
}

const NOW = '+0s';
/**
 * Validates a seed, or the seed in the file at this path. `admin` is the only user of a seed without users. Rejects with
 * `InvalidArgument`, which names the place.
 */
export async function readSeed(seed: Seed | string, brand: string, admin: SeedUser): Promise<ReadySeed> {
  if (typeof seed !== 'string') return checkSeed(jsonOf(seed), brand, admin);
  const value = await readSeedFile(seed);
  try {
    return checkSeed(value, brand, admin);
  } catch (error) {
    if (error instanceof InvalidArgument) throw new InvalidArgument(`${seed}: ${error.message}`);
    throw error;
  }
}

async function readSeedFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new InvalidArgument(`cannot read seed ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  // YAML includes JSON, but a JSON parser is faster and reports JSON errors better.
  if (extname(path) === '.json') {
    try {
      return JSON.parse(text);
    } catch {
      throw new InvalidArgument(`${path} is not valid JSON`);
    }
  }
  const { parse, YAMLParseError } = await import('yaml');
  try {
    // YAML's core schema leaves dates as text, which the seed's schema requires.
    return parse(text, { schema: 'core' });
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const [at] = error.linePos ?? [];
    throw new InvalidArgument(`${path} is not valid YAML${at === undefined ? '' : ` in line ${String(at.line)}`}`);
  }
}

/** Converts a seed to plain JSON: a `Date` becomes text, and other values that JSON lacks are dropped or rejected. */
function jsonOf(seed: Seed): unknown {
  try {
    return JSON.parse(JSON.stringify(seed));
  } catch {
    throw new InvalidArgument('the seed must contain only values that JSON can represent');
  }
}

let compiled: ValidateFunction | undefined;

/** The seed's JSON Schema, found through the package's own exports. */
export function seedSchema(): object {
  const path = createRequire(import.meta.url).resolve('latchkey/seed.schema.json');
  return JSON.parse(readFileSync(path, 'utf8')) as object;
}

function checkSeed(value: unknown, brand: string, admin: SeedUser): ReadySeed {
  compiled ??= newTestingAjv().compile(seedSchema());
  const problem = problemOf(compiled, value, 'the seed');
  if (problem !== undefined) throw new InvalidArgument(problem);

  const emails = new Map<string, string>();
  const ids = new Map<string, string>();
  const plaintexts = new Map<string, string>();
  let tokens = 0;

  function toReadyToken(
    token: SeedToken,
    isAdmin: boolean,
    place: string,
    canHave?: (scope: string) => boolean,
  ): ReadyToken {
    const { name, type = 'pat' } = token;
    const id = (token.id ?? v7()).toLowerCase();
    const plaintext = toPlaintext(brand, type === 'pat' ? 'pat' : 'ses', token.plaintext, `${place}.plaintext`);
    requireUnreserved(token.scopes, `${place}.scopes`);
    claim(ids, id, `${place}.id`);
    claim(plaintexts, plaintext, `${place}.plaintext`);
    return {
      privateTokenId: ++tokens,
      id,
      name,
      plaintext,
      type,
      description: token.description ?? '',
      metadata: token.metadata ?? {},
      scopes: token.scopes ?? scopesOfUser(isAdmin && type === 'session').filter((scope) => canHave?.(scope) !== false),
      disabled: token.disabled === true,
      createdAt: toMoment(token.createdAt ?? NOW, `${place}.createdAt`),
      expiresAt: toMomentOrNull(token.expiresAt, `${place}.expiresAt`),
      lastUsedAt: toMomentOrNull(token.lastUsedAt, `${place}.lastUsedAt`),
      revokedAt: toMomentOrNull(token.revokedAt, `${place}.revokedAt`),
    };
  }

  const webhooks = ((value as Seed).webhooks ?? []).map((webhook, index) => {
    const place = `webhooks[${String(index)}]`;
    const ready = toReadyWebhook(webhook, place);
    claim(ids, ready.id, `${place}.id`);
    return ready;
  });
  const { users: seeded = [], services = [], externalUsers = [] } = value as Seed;
  const hasUsers = seeded.length > 0;
  const users = (hasUsers ? seeded : [admin]).map((user: SeedUser, index): ReadyUser => {
    const place = `users[${String(index)}]`;
    const isAdmin = user.isAdmin === true;
    claim(emails, canonicalEmail(user.email), `${place}.email`);
    return {
      id: index + 1,
      email: user.email,
      password: user.password ?? generatePassword(),
      fullName: user.fullName ?? '',
      isAdmin,
      disabled: user.disabled === true,
      createdAt: toMoment(user.createdAt ?? NOW, `${place}.createdAt`),
      tokens: (user.tokens ?? []).map((token, position) =>
        toReadyToken(token, isAdmin, `${place}.tokens[${String(position)}]`),
      ),
    };
  });
  const isUser = new Map(users.map(({ email, id }) => [canonicalEmail(email), id]));
  const externalIds = new Map<string, string>();
  const tokensOf = (
    kind: SeededOwner['kind'],
    all: readonly SeedToken[] = [],
    place: string,
    ceiling: Ceiling = null,
  ) =>
    all.map((token, position) => {
      const at = `${place}.tokens[${String(position)}]`;
      if (token.type === 'session') throw new InvalidArgument(`${at}.type must be pat: only people have sessions`);
      const impossible = token.scopes?.find((scope) => !isAllowedFor(kind, scope));
      if (impossible !== undefined) {
        throw new InvalidArgument(`${at}.scopes: no token of ${NAMES[kind]} can have ${impossible}`);
      }
      // A named scope may be above the ceiling, which could have been higher before.
      return toReadyToken(token, false, at, (scope) => isAllowedFor(kind, scope) && isBelow(ceiling, scope));
    });
  const owners = [
    ...services.map((service, index): ReadyOwner => {
      const place = `services[${String(index)}]`;
      requireUnreserved(service.scopes ?? [], `${place}.scopes`);
      const managers = (service.managers ?? []).map((email, position) => {
        const id = isUser.get(canonicalEmail(email));
        if (id === undefined) {
          throw new InvalidArgument(`${place}.managers[${String(position)}] must be the e-mail of a user of the seed`);
        }
        return id;
      });
      return {
        id: users.length + index + 1,
        kind: 'service',
        externalId: null,
        fullName: service.fullName,
        email: null,
        metadata: {},
        managers: [...new Set(managers)],
        scopes: service.scopes ?? null,
        disabled: service.disabled === true,
        createdAt: toMoment(service.createdAt ?? NOW, `${place}.createdAt`),
        tokens: tokensOf('service', service.tokens, place, service.scopes),
      };
    }),
    ...externalUsers.map((external, index): ReadyOwner => {
      const place = `externalUsers[${String(index)}]`;
      claim(externalIds, external.externalId, `${place}.externalId`);
      return {
        id: users.length + services.length + index + 1,
        kind: 'external',
        externalId: external.externalId,
        fullName: external.fullName ?? '',
        email: external.email ?? null,
        metadata: external.metadata ?? {},
        managers: [],
        scopes: null,
        disabled: external.disabled === true,
        createdAt: toMoment(external.createdAt ?? NOW, `${place}.createdAt`),
        tokens: tokensOf('external', external.tokens, place),
      };
    }),
  ];
  return { users, hasUsers, owners, webhooks };
}

function toReadyWebhook({ id, url, secret, eventTypes = null, ...rest }: SeedWebhook, place: string): ReadyWebhook {
  const unknown = eventTypes?.findIndex((type) => !EVENT_ACTIONS.includes(type)) ?? -1;
  if (unknown >= 0) {
    throw new InvalidArgument(`${place}.eventTypes[${String(unknown)}] must be one of ${EVENT_ACTIONS.join(', ')}`);
  }
  return {
    id: (id ?? v7()).toLowerCase(),
    url,
    secret: secret ?? newSecret(),
    description: rest.description ?? '',
    eventTypes,
    disabled: rest.disabled === true,
  };
}

const NAMES = { service: 'a service', external: 'an external owner' };

function requireUnreserved(scopes: readonly string[] = [], place: string): void {
  const reserved = scopes.find((scope) => reservedBy(scope) !== undefined);
  if (reserved !== undefined) throw new InvalidArgument(`${place}: ${reserved} is reserved for the service`);
}

function claim(taken: Map<string, string>, value: string, place: string): void {
  const other = taken.get(value);
  if (other !== undefined) throw new InvalidArgument(`${place} must differ from ${other}`);
  taken.set(value, place);
}

/** Whether the seed's data depend on the clock's time. The default of `createdAt`, the clock's time itself, does not count. */
export function isRelative({ users, owners }: ReadySeed): boolean {
  const moments = [...users, ...owners].flatMap((user) => [
    user.createdAt,
    ...user.tokens.flatMap((token) => [token.createdAt, token.expiresAt, token.lastUsedAt, token.revokedAt]),
  ]);
  return moments.some((moment) => moment?.relative === true && moment.value !== 0);
}

export function toSeededUser({ id, email, password, tokens }: ReadyUser): SeededUser {
  return { id, email, password, tokens: tokens.map(toSeededToken) };
}

export function toSeededOwner({ id, kind, externalId, fullName, tokens }: ReadyOwner): SeededOwner {
  return { id, kind, externalId, fullName, tokens: tokens.map(toSeededToken) };
}

function toSeededToken({ privateTokenId, id, name, plaintext }: ReadyToken): SeededToken {
  return { privateTokenId, id, name, plaintext };
}
