import type { Call, Reply } from './call.js';
import { type Has, integer, Refusal } from './check.js';
import { checkEdit, checkKey, checkQuestion, checkRotation } from './check-key.js';
import { once } from './once.js';
import { type Entry, type Key, type Store, USER } from './store.js';

export function createKey(call: Call, store: Store, has: Has): Reply {
  const wish = checkKey(call, has);
  return once(call, store, has, () => {
    const issued = store.create(wish);
    const location = has('Location is another path') ? '/keys' : `/keys/${String(issued.key.id)}`;
    const headers: Record<string, string> = has('Location is missing') ? {} : { Location: location };
    return { status: has('creating answers 200 instead of 201') ? 200 : 201, body: issued, headers };
  });
}

export function onKey(call: Call, store: Store, has: Has): Reply {
  const [, , id = '', rotation] = call.path.split('/');
  const found = store.find(integer(id, 1, Number.MAX_SAFE_INTEGER, 'id'));
  const isLost = has('a new key is not found') && found?.key.revokedAt === null && call.method === 'GET';
  if (found === undefined || isLost)
    throw new Refusal(has('an unknown id is 410') ? 410 : 404, 'There is no such key.');
  if (rotation !== undefined) return rotateKey(call, found, store, has);
  if (call.method === 'PATCH') return editKey(call, found, store, has);
  if (call.method === 'DELETE') {
    store.revoke(found, call.token);
    return { status: 204 };
  }
  const { createdAt, ...rest } = found.key;
  const headers: Record<string, string> = has('the key tells its secret in a header')
    ? { 'X-Debug': found.secrets[0]?.text ?? '' }
    : {};
  const body = has('the key lacks createdAt') ? rest : { ...rest, createdAt };
  return { status: 200, body, headers: { ...headers, ETag: tagOf(found) } };
}

/** What the caller does with the key that it has asked with. */
export function onOwnKey(call: Call, store: Store, has: Has): Reply {
  const own = store.holderOf(call.token);
  if (call.method === 'DELETE') {
    if (own === undefined) throw new Refusal(409, 'A session is no key.');
    if (!has('revoking the key in use does nothing')) store.revoke(own, call.token);
    return { status: 204 };
  }
  checkRotation(call, has);
  if (own === undefined) throw new Refusal(409, 'A session is no key.');
  return once(call, store, has, () => rotateKey(call, own, store, has));
}

function rotateKey(call: Call, entry: Entry, store: Store, has: Has): Reply {
  const graceSeconds = checkRotation(call, has);
  if (entry.key.revokedAt !== null) {
    if (!has('a revoked key gets a new secret')) throw new Refusal(409, 'The key is revoked.');
    entry.key.revokedAt = null;
  }
  return { status: 200, body: { key: entry.key, secret: store.rotate(entry, graceSeconds) } };
}

function editKey(call: Call, entry: Entry, store: Store, has: Has): Reply {
  const edit = checkEdit(call, has);
  if (!isCurrent(call, entry, has)) {
    if (has('an edit that is refused is made')) store.edit(entry, edit);
    throw new Refusal(412, 'The key is not as If-Match says.');
  }
  if (entry.key.revokedAt !== null) throw new Refusal(409, 'The key is revoked.');
  store.edit(entry, edit);
  return { status: 200, body: { ...entry.key, ...edit } };
}

function isCurrent({ headers }: Call, entry: Entry, has: Has): boolean {
  const wanted = headers['if-match'];
  if (wanted === undefined) return true;
  const isTag = wanted === '*' || (wanted.length <= 40 && /^"[!#-~]*"$/.test(wanted));
  if (!isTag && !has('an If-Match without quotes is accepted'))
    throw new Refusal(422, 'If-Match must be an entity tag.');
  if (has('If-Match is not looked at') || !isTag) return true;
  if (wanted === '*') return !has('the entity tag * is refused');
  return wanted === tagOf(entry) && !has('a current entity tag is refused');
}

function tagOf({ version }: Entry): string {
  return `"v${String(version)}"`;
}

export function verifyKey(call: Call, store: Store, has: Has): Reply {
  const secret = checkQuestion(call, has);
  const entry = store.holderOf(secret);
  if (entry === undefined) return { status: 200, body: { valid: false, key: null } };
  const isNew = entry.version === 1;
  const valid =
    has('a revoked key is called good') || (store.isGood(secret) && !(isNew && has('a new key is called bad')));
  const { key } = entry;
  return { status: 200, body: { valid, key: has('the verdict tells the secret') ? { ...key, note: secret } : key } };
}

export function listKeys({ query }: Call, store: Store, has: Has): Reply {
  const limit = integer(
    query.get('limit') ?? '50',
    has('limit 0 is accepted') ? 0 : 1,
    has('the limit 100 is refused') ? 99 : 100,
    'limit',
  );
  if (has('some limits fail') && limit >= 60 && limit < 90) throw new RangeError('a planted fault');
  const kind = query.get('kind');
  if (kind !== null && kind !== 'read' && kind !== 'write') throw new Refusal(422, 'kind must be read or write.');
  const flag = query.get('includeRevoked') ?? 'false';
  if (flag !== 'true' && flag !== 'false') throw new Refusal(422, 'includeRevoked must be true or false.');
  const after = integer(query.get('cursor') ?? '0', 0, Number.MAX_SAFE_INTEGER, 'cursor');
  const rows = store.list({ kind, includeRevoked: flag === 'true' }).filter(({ key }) => key.id > after);
  const taken = pageSize(limit, has);
  const page = rows.slice(0, taken);
  const items = page.map(({ key, secrets }): Key & { secret?: string; owner?: string } => ({
    ...key,
    ...(has('the list tells the secrets') && { secret: secrets[0]?.text ?? '' }),
    ...(has('a row has a member too many') && { owner: USER.email }),
  }));
  const step = has('the cursor repeats a row') ? -1 : has('the cursor loses a row') ? 1 : 0;
  const last = (page.at(-1)?.key.id ?? after) + step;
  const isMore = rows.length > taken || has('there is always another page');
  return { status: 200, body: { items, nextCursor: isMore ? String(last) : null } };
}

function pageSize(limit: number, has: Has): number {
  if (has('limit is ignored')) return 50;
  if (has('a page of one has none') && limit === 1) return 0;
  return has('a page has one row too many') ? limit + 1 : limit;
}
