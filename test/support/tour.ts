import { setTimeout as sleep } from 'node:timers/promises';
import {
  changePassword,
  countAccessTokens,
  createAccessToken,
  createPrivateToken,
  createService,
  createUser,
  createWebhook,
  deleteExternalUser,
  deleteWebhook,
  exportAuditEvents,
  getAccessToken,
  getCurrentAccessToken,
  getExternalUser,
  getMe,
  getReadiness,
  getTokenLimits,
  getUser,
  getWebhook,
  introspectToken,
  listAccessTokenEvents,
  listAccessTokens,
  listAuditEvents,
  listPrivateTokens,
  listServices,
  listUsers,
  listWebhookDeliveries,
  listWebhooks,
  logIn,
  logOut,
  offboardUser,
  openBrowserSession,
  putExternalUser,
  redeliverWebhookDeliveries,
  redeliverWebhookDelivery,
  refreshBrowserSession,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
  revokeCurrentAccessToken,
  revokeOAuthToken,
  revokePrivateToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  rotateWebhookSecret,
  testWebhook,
  transferAccessTokens,
  updateAccessToken,
  updateService,
  updateWebhook,
  verifyAccessToken,
  verifyAccessTokens,
} from '../../generated/index.js';
import { fillEveryColumn } from './every-row.js';
import { ADMIN, answered, type Client, type Service } from './service.js';

const INSTANTS = { after: '2030-06-15T11:00:00.000Z', before: '2030-06-15T13:00:00.000Z' };

type ListQuery = NonNullable<NonNullable<Parameters<typeof listAccessTokens>[0]>['query']>;

const FILTERS: ListQuery[] = [
  {},
  { tokenType: 'pat' },
  { q: 'größe' },
  { q: 'a' },
  { scope: 'tokens:read' },
  ...(['active', 'expiring', 'expired', 'revoked', 'disabled'] as const).map((state) => ({ state })),
  { createdAfter: INSTANTS.after, createdBefore: INSTANTS.before },
  { expiresAfter: INSTANTS.after, expiresBefore: INSTANTS.before },
  { lastUsedAfter: INSTANTS.after, lastUsedBefore: INSTANTS.before },
  { neverUsed: true },
  { neverUsed: false },
];

/** Calls the operations so that the service runs each of its queries. */
export async function tour(service: Service): Promise<void> {
  await fillEveryColumn(service);
  const { client, password } = await service.admin();
  const user = await service.newUser();
  await readAll(client, user.session.id);
  await actForOwner(client);
  await changeAll(service, client);

  await answered(listUsers({ client, query: { q: 'ö', limit: 1 } }));
  const { nextCursor } = await answered(listUsers({ client, query: { limit: 1 } }));
  await answered(listUsers({ client, query: { limit: 1, cursor: nextCursor ?? '' } }));
  await answered(createUser({ client, body: { email: 'new@example.org', fullName: '' } }));
  await answered(getUser({ client, path: { user_id: user.session.id } }));
  await manageServices(service, client);

  await logIn({ client: service.anonymous, body: { username: ADMIN.email, password: 'a wrong password' } });
  await changePassword({ client, body: { currentPassword: password, newPassword: 'another password' } });
  const fromPage = (cookie = '') => ({
    client: service.anonymous,
    headers: { 'Sec-Fetch-Site': 'same-origin', cookie },
  });
  const opened = await openBrowserSession({ ...fromPage(), body: { username: user.email, password: user.password } });
  const cookie = opened.response.headers.getSetCookie()[1]?.split(';')[0];
  await refreshBrowserSession(fromPage(cookie));
  await refreshBrowserSession(fromPage(cookie));
  await logOut({ client: user.client });
  await readEvents(service, client);
  await useWebhooks(client);
  await revokeAllAccessTokens({ client, query: { exclude_current: true } });
  await revokeAllAccessTokens({ client });
  await getReadiness({ client });
}

async function manageServices(service: Service, client: Client): Promise<void> {
  const [manager, leaver] = [await service.newUser(), await service.newUser()];
  const body = { fullName: 'jobs', managers: [manager.session.id] };
  const { id } = await answered(createService({ client, body }));
  await answered(updateService({ client, path: { service_id: id }, body: { managers: [], scopes: ['a:b'] } }));
  await answered(updateService({ client, path: { service_id: id }, body: { managers: body.managers } }));
  await answered(listUsers({ client, query: { unmanaged: true } }));
  await answered(listUsers({ client, query: { unmanaged: true, q: 'ö' } }));
  await answered(listUsers({ client, query: { manages: id } }));
  await answered(listServices({ client: manager.client }));
  await answered(getUser({ client, path: { user_id: id } }));
  await answered(
    createAccessToken({ client: manager.client, query: { owner: id }, body: { name: 'job', scopes: [] } }),
  );
  const { token } = await answered(createAccessToken({ client: leaver.client, body: { name: 'a', scopes: ['c:d'] } }));
  const query = { owner: leaver.session.id };
  const move = { ids: [token.id], to: id, cutScopes: true };
  await answered(transferAccessTokens({ client, query, body: { ...move, dryRun: true } }));
  await answered(transferAccessTokens({ client, query, body: move }));
  await answered(createAccessToken({ client: leaver.client, body: { name: 'b', scopes: ['c:d'] } }));
  const path = { user_id: leaver.session.id };
  const leave = { tokens: 'transfer', to: id, cutScopes: true } as const;
  await answered(offboardUser({ client, path, body: { ...leave, dryRun: true } }));
  await answered(offboardUser({ client, path, body: leave }));
  await answered(offboardUser({ client, path: { user_id: id }, body: { tokens: 'revoke' } }));
}

async function startOfEvents({ url }: Service, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  const { body } = await fetch(`${url}/api/v1/events?after=0`, { headers });
  const reader = body?.getReader();
  await reader?.read();
  await reader?.read();
  await reader?.cancel();
}

async function readEvents(service: Service, client: Client): Promise<void> {
  const { items, nextCursor } = await answered(listAuditEvents({ client, query: { limit: 1 } }));
  await answered(listAuditEvents({ client, query: { limit: 1, cursor: nextCursor ?? '' } }));
  const { token } = await answered(createAccessToken({ client, body: { name: 'with events' } }));
  for (const query of [
    { action: 'token.created' as const },
    { actor: 1, owner: 1 },
    { token: token.id },
    { requestId: items[0]?.requestId ?? '' },
    INSTANTS,
  ]) {
    await answered(listAuditEvents({ client, query }));
  }
  await updateAccessToken({ client, path: { token_id: token.id }, body: { name: 'with more events' } });
  const path = { token_id: token.id };
  const page = await answered(listAccessTokenEvents({ client, path, query: { limit: 1 } }));
  await answered(listAccessTokenEvents({ client, path, query: { limit: 1, cursor: page.nextCursor ?? '' } }));
  const read = await answered(createAccessToken({ client, body: { name: 'reader', scopes: ['audit:read'] } }));
  await exportAuditEvents({ parseAs: 'text', headers: { Authorization: `Bearer ${read.plaintext}` }, client });
  await startOfEvents(service, read.plaintext);
  const own = await answered(createAccessToken({ client, body: { name: 'follower', scopes: ['tokens:read'] } }));
  await startOfEvents(service, own.plaintext);
}

async function useWebhooks(client: Client): Promise<void> {
  const url = 'https://hooks.example.org/latchkey';
  const { webhook } = await answered(createWebhook({ client, body: { url } }));
  const path = { webhook_id: webhook.id };
  await answered(createAccessToken({ client, body: { name: 'told' } }));
  const { nextCursor } = await answered(listWebhooks({ client, query: { limit: 1 } }));
  await answered(listWebhooks({ client, query: { limit: 1, cursor: nextCursor ?? '' } }));
  while ((await answered(getWebhook({ client, path }))).lastFailureAt === null) await sleep(20);
  await answered(updateWebhook({ client, path, body: { enabled: false } }));
  await answered(updateWebhook({ client, path, body: { enabled: true } }));
  await answered(rotateWebhookSecret({ client, path }));
  await answered(testWebhook({ client, path }));
  const page = await answered(listWebhookDeliveries({ client, path, query: { limit: 1 } }));
  const query = { limit: 1, cursor: page.nextCursor ?? '' };
  await answered(listWebhookDeliveries({ client, path, query }));
  await answered(listWebhookDeliveries({ client, path, query: { status: 'failed' } }));
  const delivery = { ...path, delivery_id: page.items[0]?.id ?? '' };
  await answered(redeliverWebhookDelivery({ client, path: delivery }));
  await answered(redeliverWebhookDeliveries({ client, path, body: { since: INSTANTS.after } }));
  await deleteWebhook({ client, path });
}

async function readAll(client: Client, owner: number): Promise<void> {
  const sorts = ['createdAt', 'name', 'expiresAt', 'lastUsedAt'] as const;
  for (const filter of FILTERS) await answered(listAccessTokens({ client, query: filter }));
  for (const query of [{}, { tokenType: 'pat', q: 'a', scope: 'a', neverUsed: true } as const])
    await answered(countAccessTokens({ client, query }));
  await answered(getTokenLimits({ client }));
  for (const sort of sorts.flatMap((key) => [key, `-${key}`] as const)) {
    const query = { sort, limit: 1, includeRevoked: true };
    const { nextCursor } = await answered(listAccessTokens({ client, query }));
    await answered(listAccessTokens({ client, query: { ...query, cursor: nextCursor ?? '' } }));
  }
  await answered(listAccessTokens({ client, query: { owner } }));
  for (const key of ['id', 'name', 'expiration_time'] as const) {
    for (const ordering of [key, `-${key}`] as const) {
      for (const q of ['', 'a', 'ö']) await answered(listPrivateTokens({ client, query: { ordering, q } }));
    }
  }
  await answered(getMe({ client }));
}

/** Creates an external owner, does for it what can be done, and deletes it. */
async function actForOwner(client: Client): Promise<void> {
  const path = { external_id: 'cus_7' };
  const { id } = await answered(putExternalUser({ client, path, body: { fullName: 'Ada Ltd' } }));
  await answered(putExternalUser({ client, path, body: { fullName: 'Ada Inc' } }));
  await answered(getExternalUser({ client, path }));
  await answered(listUsers({ client, query: { kind: 'external', limit: 1 } }));
  await answered(listUsers({ client, query: { kind: 'external', q: 'ada' } }));
  const headers = { 'Idempotency-Key': 'of-the-tour' };
  for (const query of [{ owner: id }, { externalOwner: path.external_id }]) {
    const { token } = await answered(createAccessToken({ client, query, headers, body: { name: 'a', scopes: [] } }));
    const one = { client, path: { token_id: token.id }, query };
    await answered(listAccessTokens({ client, query }));
    await answered(getAccessToken(one));
    await answered(listAccessTokenEvents(one));
    await answered(updateAccessToken({ ...one, body: { name: 'b' } }));
    await answered(rotateAccessToken(one));
    await answered(revokeAccessTokens({ client, query, body: { ids: [token.id], dryRun: true } }));
  }
  await answered(revokeAllAccessTokens({ client, query: { externalOwner: path.external_id } }));
  await deleteExternalUser({ client, path });
}

async function changeAll(service: Service, client: Client): Promise<void> {
  const made = async (name: string) => await answered(createAccessToken({ client, body: { name } }));
  const expiration_time = '2031-01-01T00:00:00Z';
  const { id } = await answered(createPrivateToken({ client, body: { name: 'private', expiration_time } }));
  await revokePrivateToken({ client, path: { id } });

  const one = await made('one');
  const path = { token_id: one.token.id };
  await answered(getAccessToken({ client, path }));
  await answered(updateAccessToken({ client, path, body: { name: 'two', scopes: ['new:scope', 'tokens:read'] } }));
  await answered(getCurrentAccessToken({ client: service.as(one.plaintext) }));
  await answered(verifyAccessToken({ client, body: { token: one.plaintext } }));
  const tokens = [{ token: one.plaintext }, { token: (await made('other')).plaintext }];
  await answered(verifyAccessTokens({ client, body: { tokens } }));
  await answered(introspectToken({ client, body: { token: one.plaintext } }));
  await revokeAccessToken({ client, path });
  await revokeOAuthToken({ client, body: { token: (await made('presented')).plaintext } });
  const session = await answered(
    logIn({ client: service.anonymous, body: { username: ADMIN.email, password: ADMIN.password } }),
  );
  await revokeOAuthToken({ client, body: { token: session.refresh_token } });

  const current = service.as((await made('current')).plaintext);
  const { plaintext } = await answered(rotateCurrentAccessToken({ client: current, body: {} }));
  await revokeCurrentAccessToken({ client: service.as(plaintext) });
  await answered(revokeAccessTokens({ client, body: { filter: { tokenType: 'pat', q: 'other' } } }));
  const ids = [(await made('a')).token.id, (await made('b')).token.id];
  await answered(revokeAccessTokens({ client, body: { ids } }));
}
