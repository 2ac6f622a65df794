import {
  createAccessToken,
  createService,
  createWebhook,
  deleteExternalUser,
  getMe,
  listAccessTokens,
  logIn,
  putExternalUser,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  rotateWebhookSecret,
  updateAccessToken,
  updateUser,
} from '../../generated/index.js';
import { send } from './http.js';
import { answered, MINUTE, type Person, type Service } from './service.js';
import { change, rowsOf } from './store.js';

/** What clients have from a service whose database has a value in each column of each table. */
export interface Clients {
  /** Plaintexts that the service accepts, and plaintexts that it rejects. */
  accepted: string[];
  refused: string[];
  /** A session's newest refresh token. */
  refreshToken: string;
  /** A request with an `Idempotency-Key`, and the answer that it got. */
  repeated: { token: string; key: string; json: unknown; answer: string };
  /** The cursor of the list's second page, and the ids on that page. */
  cursor: string;
  secondPage: string[];
  /** The id of the newest token, whose row is gone. */
  highestId: number;
}

/** Fills the database of a service by its API and, where no operation writes a column yet, by SQL. */
export async function fillEveryColumn(service: Service): Promise<Clients> {
  const admin = await service.admin();
  const user = await service.newUser('zoë@example.org');
  const create = (client: Person['client'], name: string) =>
    answered(
      createAccessToken({ client, body: { name, description: 'Größe', metadata: { team: 'a' }, expiresInDays: 9 } }),
    );
  const [kept, rotated, revoked, disabled] = [
    await create(admin.client, 'kept'),
    await create(admin.client, 'rotated'),
    await create(user.client, 'revoked'),
    await create(user.client, 'disabled'),
  ];
  const byToken = await create(service.as(kept.plaintext), 'by a token');
  const path = { token_id: rotated.token.id };
  const { plaintext } = await answered(
    rotateAccessToken({ client: admin.client, path, body: { gracePeriodSeconds: 3_600 } }),
  );
  await getMe({ client: service.as(rotated.plaintext) });
  await answered(getMe({ client: service.as(plaintext) }));
  await revokeAccessToken({ client: user.client, path: { token_id: revoked.token.id } });
  for (const body of [{ disabled: true }, { expiresInDays: 30 }]) {
    await answered(updateAccessToken({ client: user.client, path: { token_id: disabled.token.id }, body }));
  }
  const refreshed = await answered(
    refreshSession({ client: service.anonymous, body: { refresh_token: user.session.refresh_token } }),
  );
  const away = await service.newUser();
  const { user: found } = await answered(getMe({ client: away.client }));
  await answered(updateUser({ client: admin.client, path: { user_id: found.id }, body: { disabled: true } }));

  await logIn({ client: service.anonymous, body: { username: user.email, password: 'wrong password' } });
  const url = 'https://hooks.example.org/latchkey';
  const body = { url, description: 'Für alle', eventTypes: ['token.created' as const] };
  const { webhook } = await answered(createWebhook({ client: admin.client, body }));
  await answered(rotateWebhookSecret({ client: admin.client, path: { webhook_id: webhook.id } }));

  for (const external_id of ['cus_42', 'größe']) {
    const owner = { fullName: 'Zoë Ltd', email: 'it@example.org', metadata: { plan: 'pro' } };
    await answered(putExternalUser({ client: admin.client, path: { external_id }, body: owner }));
  }
  const jobs = { fullName: 'Aufträge für alle', managers: [2], scopes: ['deployments:write'] };
  await answered(createService({ client: admin.client, body: jobs }));
  await deleteExternalUser({ client: admin.client, path: { external_id: 'cus_42' } });

  const json = { name: 'once' };
  const key = 'f3b1c8f0-2f1e-4a8e-9d8e-6f2f6b1f9a11';
  const headers = { 'Idempotency-Key': key };
  const { text: answer } = await send(service, 'POST /api/v1/access-tokens', { token: admin.token, json, headers });
  service.clock.advance(MINUTE);
  await create(admin.client, 'gone');
  const newest = '(select max(id) from access_tokens)';
  const [{ id: highestId } = {}] = await rowsOf(service, `select max(id) as id from access_tokens`);
  await change(
    service,
    `delete from token_secrets where token_id = ${newest}`,
    `delete from access_tokens where id = ${newest}`,
    "insert into organizations (uuid, name, slug, created_at) select uuid, 'Other', 'other', 1 from users, access_tokens limit 1",
    "insert into memberships values (2, 1, 'auditor', 1)",
    "insert into identities values ('https://id.example.org', 'zoë', 2, 1), ('https://id.example.org', 'Adam', 1, 1)",
    "insert into jobs values ('other', 1, 'far')",
    'insert into offboardings values (2, 1, 1, 2, 1, 1, 1, 1, 1)',
    `update webhooks set disabled_at = 1, disabled_reason = 'gone', last_success_at = 1, last_failure_at = 2,
      claimed_until = 1, claimed_by = uuid`,
    `insert into webhook_deliveries (uuid, webhook_id, event_uuid, seq, event_type, payload, status, created_at, begun_at, due_at,
        attempts, retries, last_attempt_at, last_status, last_error)
      select uuid, id, uuid, 1, 'token.created', '{}', 'pending', 1, 1, 1, 2, 1, 1, 500, 'status' from webhooks`,
    "update users set external_id = 'u1' where id = 1",
    `update access_tokens set settings = '{"a":1}', created_by = 2 where name = 'kept'`,
  );

  const page = await answered(listAccessTokens({ client: admin.client, query: { limit: 2, includeRevoked: true } }));
  const cursor = page.nextCursor ?? '';
  const second = await answered(
    listAccessTokens({ client: admin.client, query: { limit: 2, includeRevoked: true, cursor } }),
  );
  return {
    accepted: [admin.token, refreshed.access_token, kept.plaintext, plaintext, byToken.plaintext],
    refused: [revoked.plaintext, disabled.plaintext, away.token],
    refreshToken: refreshed.refresh_token,
    repeated: { token: admin.token, key, json, answer },
    cursor,
    secondPage: second.items.map(({ id }) => id),
    highestId: Number(highestId),
  };
}
