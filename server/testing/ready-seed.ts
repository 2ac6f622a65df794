import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { v7 } from 'uuid';
import { InvalidArgument } from '../config/invalid-argument.js';
import { parseDateTime } from '../contract/formats.js';
import { EVENT_ACTIONS, type EventAction } from '../database/index.js';
import { reservedBy, scopesOfUser } from '../tokens/scopes.js';
import { generatePassword } from '../users/passwords.js';
import { canonicalEmail } from '../users/users.js';
import { newSecret } from '../webhooks/secret.js';
import { toPlaintext } from './plaintext.js';
import { newTestingAjv, problemOf } from './schema.js';
import type { Seed, SeededToken, SeededUser, SeedInstant, SeedToken, SeedUser, SeedWebhook } from './seed.js';

/** An instant as the seed states it. */
export interface Moment {
  /** Path of this member in the seed, for errors. */
  place: string;
  /** Milliseconds since 1970, or if `relative` is true, milliseconds to add to the clock's time. */
  value: number;
  relative: boolean;
}

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
  webhooks: readonly ReadyWebhook[];
}

const NOW = '+0s';
const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Validates a seed, or the seed in the file at this path. Rejects with `InvalidArgument`, which names the place. */
export async function readSeed(seed: Seed | string, brand: string): Promise<ReadySeed> {
  if (typeof seed !== 'string') return checkSeed(jsonOf(seed), brand);
  const value = await readSeedFile(seed);
  try {
    return checkSeed(value, brand);
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

function checkSeed(value: unknown, brand: string): ReadySeed {
  compiled ??= newTestingAjv().compile(seedSchema());
  const problem = problemOf(compiled, value, 'the seed');
  if (problem !== undefined) throw new InvalidArgument(problem);

  const emails = new Map<string, string>();
  const ids = new Map<string, string>();
  const plaintexts = new Map<string, string>();
  let tokens = 0;

  function toReadyToken(token: SeedToken, isAdmin: boolean, place: string): ReadyToken {
    const { name, type = 'pat' } = token;
    const id = (token.id ?? v7()).toLowerCase();
    const plaintext = toPlaintext(brand, type === 'pat' ? 'pat' : 'ses', token.plaintext, `${place}.plaintext`);
    const reserved = token.scopes?.find((scope) => reservedBy(scope) !== undefined);
    if (reserved !== undefined) throw new InvalidArgument(`${place}.scopes: ${reserved} is reserved for the service`);
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
      scopes: token.scopes ?? scopesOfUser(isAdmin && type === 'session'),
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
  const users = ((value as Seed).users ?? []).map((user: SeedUser, index): ReadyUser => {
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
  return { users, webhooks };
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

function claim(taken: Map<string, string>, value: string, place: string): void {
  const other = taken.get(value);
  if (other !== undefined) throw new InvalidArgument(`${place} must differ from ${other}`);
  taken.set(value, place);
}

function toMomentOrNull(instant: SeedInstant | null | undefined, place: string): Moment | null {
  return instant === null || instant === undefined ? null : toMoment(instant, place);
}

function toMoment(instant: SeedInstant, place: string): Moment {
  const [, sign, amount, unit = ''] = /^([+-])(\d{1,6})(ms|s|m|h|d)$/.exec(String(instant)) ?? [];
  if (sign !== undefined) {
    return { place, value: Number(amount) * (UNITS[unit] ?? 0) * (sign === '-' ? -1 : 1), relative: true };
  }
  const value = parseDateTime(String(instant));
  if (value === undefined) throw outOfRange(place);
  return { place, value, relative: false };
}

/** The instant in milliseconds since 1970. Throws `InvalidArgument` if it is before 1970. */
export function instantOf({ place, value, relative }: Moment, now: number): number {
  const instant = relative ? now + value : value;
  if (instant < 0) throw outOfRange(place);
  return instant;
}

function outOfRange(place: string): InvalidArgument {
  return new InvalidArgument(`${place} must be an existing date and time in the years 1970 to 9999`);
}

/** Whether the seed's data depend on the clock's time. The default of `createdAt`, the clock's time itself, does not count. */
export function isRelative({ users }: ReadySeed): boolean {
  const moments = users.flatMap((user) => [
    user.createdAt,
    ...user.tokens.flatMap((token) => [token.createdAt, token.expiresAt, token.lastUsedAt, token.revokedAt]),
  ]);
  return moments.some((moment) => moment?.relative === true && moment.value !== 0);
}

export function toSeededUser({ id, email, password, tokens }: ReadyUser): SeededUser {
  return {
    id,
    email,
    password,
    tokens: tokens.map(({ privateTokenId, id, name, plaintext }) => ({ privateTokenId, id, name, plaintext })),
  };
}
