import { type Database, searchColumn, searchTextOf } from '../database/index.js';
import type { Keyring, Passwords, Sealer } from '../deps.js';
import { beginNotices } from '../notices/round.js';
import { Plaintext } from '../tokens/plaintext.js';
import { scopeSetId } from '../tokens/scopes.js';
import { metadataColumn } from '../tokens/token.js';
import { canonicalEmail } from '../users/users.js';
import { newUuid, uuidBytes } from '../uuid.js';
import { instantOf, type Moment } from './moment.js';
import type { ReadySeed, ReadyWebhook } from './ready-seed.js';

/** Rows in one INSERT, because SQLite limits the parameters of a statement. */
const CHUNK = 500;

/** Writes `seed` into an empty database in one transaction. Relative times of the seed are added to `now`. */
export async function plant(
  db: Database,
  { passwords, keyring }: { passwords: Passwords; keyring: Keyring },
  { users: seed, owners, webhooks }: ReadySeed,
  now: number,
): Promise<void> {
  // The clock begins here: what is due before is not noticed.
  await beginNotices(db, now);
  const hashes = new Map<string, string>();
  for (const { password } of seed) {
    if (!hashes.has(password)) hashes.set(password, await passwords.hash(password));
  }

  const users = seed.map((user) => ({
    id: user.id,
    organization_id: 1,
    kind: 'person' as const,
    email: canonicalEmail(user.email),
    full_name: user.fullName,
    password_hash: hashes.get(user.password) ?? '',
    is_admin: user.isAdmin ? 1 : 0,
    created_at: instantOf(user.createdAt, now),
    disabled_at: user.disabled ? now : null,
    search: searchColumn(user.fullName, canonicalEmail(user.email)),
  }));
  const others = owners.map((owner) => ({
    id: owner.id,
    organization_id: 1,
    kind: owner.kind,
    external_id: owner.externalId,
    full_name: owner.fullName,
    contact_email: owner.email,
    metadata: metadataColumn(owner.metadata),
    is_admin: 0,
    created_at: instantOf(owner.createdAt, now),
    disabled_at: owner.disabled ? now : null,
    search: searchTextOf(owner),
    scopes: owner.scopes === null ? null : [...owner.scopes].sort().join(' '),
  }));
  const managers = owners.flatMap(({ id, managers: people }) =>
    people.map((person) => ({ service_id: id, user_id: person, created_at: now })),
  );
  const tokens = [...seed, ...owners].flatMap((user) =>
    user.tokens.map((token) => ({ ...token, ownerId: user.id, plaintext: new Plaintext(token.plaintext) })),
  );
  const rows = tokens.map((token) => ({
    id: token.privateTokenId,
    uuid: uuidBytes(token.id),
    organization_id: 1,
    owner_id: token.ownerId,
    type: token.type,
    name: token.name,
    prefix: token.plaintext.prefix,
    secret_start: token.plaintext.digest().start,
    created_at: instantOf(token.createdAt, now),
    expires_at: instantOrNull(token.expiresAt, now),
    last_used_at: instantOrNull(token.lastUsedAt, now),
    revoked_at: instantOrNull(token.revokedAt, now),
    description: token.description === '' ? null : token.description,
    metadata: metadataColumn(token.metadata),
    disabled_at: token.disabled ? now : null,
    version: 1,
    search: searchColumn(token.name, token.description),
    scopes: token.scopes,
  }));
  const secrets = tokens.map(({ plaintext, privateTokenId }) => ({
    digest: plaintext.digest().bytes,
    token_id: privateTokenId,
  }));

  const sealer = webhooks.length === 0 ? undefined : await keyring.sealer();
  await db.write(async (trx) => {
    const organization = { id: 1, name: 'Latchkey', slug: 'latchkey', created_at: now };
    await trx
      .insertInto('organizations')
      .values({ ...organization, uuid: newUuid(now) })
      .execute();
    for (const chunk of chunks(users)) await trx.insertInto('users').values(chunk).execute();
    for (const chunk of chunks(others)) await trx.insertInto('users').values(chunk).execute();
    for (const chunk of chunks(managers)) await trx.insertInto('managers').values(chunk).execute();
    const sets = new Map<string, number>();
    for (const { scopes } of rows) {
      if (!sets.has(String(scopes))) sets.set(String(scopes), await scopeSetId(trx, scopes));
    }
    const withSets = rows.map(({ scopes, ...row }) => ({ ...row, scope_set_id: sets.get(String(scopes)) ?? 0 }));
    for (const chunk of chunks(withSets)) await trx.insertInto('access_tokens').values(chunk).execute();
    for (const chunk of chunks(secrets)) await trx.insertInto('token_secrets').values(chunk).execute();
    if (sealer !== undefined) {
      const planted = webhooks.map((webhook) => rowOf(webhook, sealer, now));
      await trx.insertInto('webhooks').values(planted).execute();
    }
  });
}

function rowOf({ id, url, secret, description, eventTypes, disabled }: ReadyWebhook, sealer: Sealer, now: number) {
  const uuid = uuidBytes(id);
  return {
    uuid,
    organization_id: 1,
    url,
    description: description === '' ? null : description,
    event_types: eventTypes === null ? null : eventTypes.join(' '),
    secret: sealer.seal(secret, uuid),
    created_at: now,
    disabled_at: disabled ? now : null,
    disabled_reason: disabled ? ('manual' as const) : null,
    after_id: 0,
    after_seq: 0,
  };
}

function instantOrNull(moment: Moment | null, now: number): number | null {
  return moment === null ? null : instantOf(moment, now);
}

function chunks<Row>(rows: Row[]): Row[][] {
  const count = Math.ceil(rows.length / CHUNK);
  return Array.from({ length: count }, (_, index) => rows.slice(index * CHUNK, (index + 1) * CHUNK));
}
