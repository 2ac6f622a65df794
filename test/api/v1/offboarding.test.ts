import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createService,
  deleteExternalUser,
  type ExternalUser,
  getExternalUser,
  getMe,
  listAccessTokens,
  listAuditEvents,
  listUsers,
  logIn,
  type Offboarding,
  offboardUser,
  putExternalUser,
  revokeCurrentAccessToken,
  updateUser,
  verifyAccessToken,
} from '../../../generated/index.js';
import { defaultConfig } from '../../../server/config/config.js';
import { type Database, openDatabase } from '../../../server/database/index.js';
import { createLog } from '../../../server/log/log.js';
import { createSweeper } from '../../../server/sweeper.js';
import { SYSTEM } from '../../../server/tokens/actor.js';
import { finishOffboardings } from '../../../server/users/offboard.js';
import { fill } from '../../support/fill.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, type Service, startService } from '../../support/service.js';
import { change, rowsOf } from '../../support/store.js';

async function create(client: Client, name: string, scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) } }));
}

function offboard(client: Client, user_id: number, body: Offboarding) {
  return offboardUser({ client, path: { user_id }, body });
}

async function verdict(client: Client, token: string) {
  const { code, owner } = await answered(verifyAccessToken({ client, body: { token } }));
  return { code, owner: owner?.id };
}

async function leaving() {
  const service = await startService();
  const admin = await service.admin();
  const ada = await service.newUser('ada@example.org');
  const bea = await service.newUser('bea@example.org');
  const job = await create(ada.client, 'job', ['deployments:write', 'tokens:read', 'tokens:write']);
  return { service, admin, ada, bea, job, from: ada.session.id, to: bea.session.id };
}

/** The state that a process leaves which stops directly after the first transaction of an offboarding. */
async function stopAfterBegin(service: Service, id: number, to: number | null): Promise<void> {
  await change(
    service,
    `delete from offboardings where user_id = ${String(id)}`,
    `update users set disabled_at = 1 where id = ${String(id)}`,
    `insert into offboardings (user_id, to_id, begun_at, sessions, tokens, cut)
      values (${String(id)}, ${to === null ? 'null' : String(to)}, 1, 4, 0, 0)`,
  );
}

async function sweep(service: Service): Promise<void> {
  const db = await openDatabase(service.database);
  try {
    const sweeper = createSweeper({ db, now: service.clock.now, log: createLog('silent'), config: defaultConfig });
    expect(await sweeper.sweep()).toBe(true);
    await sweeper.close();
  } finally {
    await db.close();
  }
}

describe('revoking', () => {
  test('ends the login, the sessions and all tokens for good, and says how many', async () => {
    const { service, admin, ada, job, from } = await leaving();
    await create(ada.client, 'revoked before').then(({ plaintext }) =>
      revokeCurrentAccessToken({ client: service.as(plaintext) }),
    );
    await create(ada.client, 'second');
    const tried = await answered(offboard(admin.client, from, { tokens: 'revoke', dryRun: true }));
    const numbers = { sessionCount: 1, revokedCount: 2, transferredCount: 0, cutCount: 0, unmanagedCount: 0 };
    expect(tried).toEqual({ ...numbers, dryRun: true });
    expect(await verdict(admin.client, job.plaintext)).toEqual({ code: 'valid', owner: from });

    const { data, response } = await offboard(admin.client, from, { tokens: 'revoke' });
    expect(data).toEqual({ ...numbers, dryRun: false });
    expect(await verdict(admin.client, job.plaintext)).toEqual({ code: 'revoked', owner: from });
    expect((await getMe({ client: ada.client })).response.status).toBe(401);
    const login = await logIn({ client: service.anonymous, body: { username: ada.email, password: ada.password } });
    expect(login.response.status).toBe(403);
    const query = { owner: from, includeRevoked: true, state: 'revoked' } as const;
    const { items } = await answered(listAccessTokens({ client: admin.client, query }));
    expect(items.map(({ name }) => name).sort()).toEqual(['job', 'revoked before', 'second', 'session']);

    await answered(updateUser({ client: admin.client, path: { user_id: from }, body: { disabled: false } }));
    expect(await verdict(admin.client, job.plaintext)).toEqual({ code: 'revoked', owner: from });
    // Again, from the beginning: nothing is left.
    const again = await answered(offboard(admin.client, from, { tokens: 'revoke' }));
    expect(again).toEqual({
      sessionCount: 0,
      revokedCount: 0,
      transferredCount: 0,
      cutCount: 0,
      unmanagedCount: 0,
      dryRun: false,
    });

    const requestId = response.headers.get('x-request-id') ?? '';
    const events = async () =>
      (await answered(listAuditEvents({ client: admin.client, query: { requestId } }))).items.toReversed();
    await expect.poll(async () => (await events()).length).toBe(4);
    expect(await events()).toMatchObject([
      { action: 'user.disabled', ownerId: from },
      { action: 'token.revoked', reason: 'offboarding', changes: { count: 1 } },
      { action: 'token.revoked', reason: 'offboarding', changes: { count: 2 } },
      {
        action: 'user.offboarded',
        ownerId: from,
        target: { kind: 'user', label: ada.email },
        changes: { after: numbers },
      },
    ]);
  });

  test('goes on a thousand at a time, and others write meanwhile', async () => {
    const { service, admin, from } = await leaving();
    await fill(service, from, 3_200);
    const order: string[] = [];
    const all = offboard(admin.client, from, { tokens: 'revoke' }).then(({ data }) => {
      order.push('offboarded');
      return data;
    });
    const writes: Promise<unknown>[] = [];
    while (!order.includes('offboarded')) {
      writes.push(create(admin.client, 'meanwhile').then(() => order.push('created')));
      await writes.at(-1);
    }
    expect(await all).toMatchObject({ revokedCount: 3_201 });
    expect(order.indexOf('created')).toBeLessThan(order.indexOf('offboarded'));
    const counts = await rowsOf(service, `select changes from audit_events where reason = 'offboarding' order by id`);
    expect(counts.map(({ changes }) => (JSON.parse(String(changes)) as { count: number }).count)).toEqual([
      1, 1_000, 1_000, 1_000, 201,
    ]);
    const left = `select count(*) as count from access_tokens where owner_id = ${String(from)} and revoked_at is null`;
    expect(Number((await rowsOf(service, left))[0]?.['count'])).toBe(0);
  });
});

describe('giving the tokens to another owner', () => {
  test('keeps them valid, with the same ids and secrets', async () => {
    const { service, admin, ada, bea, job, from, to } = await leaving();
    const body = { tokens: 'transfer', to } as const;
    const numbers = { sessionCount: 1, revokedCount: 0, transferredCount: 1, cutCount: 0, unmanagedCount: 0 };
    expect(await answered(offboard(admin.client, from, { ...body, dryRun: true }))).toEqual({
      ...numbers,
      dryRun: true,
    });
    expect(await answered(offboard(admin.client, from, body))).toEqual({ ...numbers, dryRun: false });
    expect(await verdict(admin.client, job.plaintext)).toEqual({ code: 'valid', owner: to });
    const { items } = await answered(listAccessTokens({ client: bea.client, query: { tokenType: 'pat' } }));
    expect(items.map(({ id }) => id)).toEqual([job.token.id]);
    expect((await getMe({ client: ada.client })).response.status).toBe(401);
    expect(await rowsOf(service, `select created_by from access_tokens where name = 'job'`)).toEqual([
      { created_by: from },
    ]);
  });

  test('cuts scopes, or refuses and names them before anything has changed', async () => {
    const { service, admin, ada, from, to } = await leaving();
    await change(service, `update users set is_admin = 1 where id = ${String(from)}`);
    await create(ada.client, 'root', ['users:admin', 'invoices:send']);
    const body = { tokens: 'transfer', to } as const;
    const refusal = {
      status: 409,
      body: { detail: 'The owner may not have these scopes: users:admin.', code: 'scopes_above_ceiling' },
    };
    await expectRefusal(service, () => offboard(admin.client, from, body), refusal);
    await expectRefusal(service, () => offboard(admin.client, from, { ...body, dryRun: true }), refusal);
    const cut = { ...body, cutScopes: true };
    const numbers = { sessionCount: 1, transferredCount: 2, cutCount: 1 };
    expect(await answered(offboard(admin.client, from, { ...cut, dryRun: true }))).toMatchObject(numbers);
    expect(await answered(offboard(admin.client, from, cut))).toMatchObject(numbers);
    const rows = await rowsOf(
      service,
      `select scope_sets.scopes from access_tokens as token join scope_sets on scope_sets.id = token.scope_set_id
        where token.name = 'root' and token.owner_id = ${String(to)}`,
    );
    expect(rows).toEqual([{ scopes: 'invoices:send' }]);
  });

  test('a process that stops leaves valid tokens, which move when the same request comes again', async () => {
    const { service, admin, ada, bea, job, from, to } = await leaving();
    await fill(service, from, 1_500);
    await stopAfterBegin(service, from, to);
    const { client } = admin;
    expect(await verdict(client, job.plaintext)).toEqual({ code: 'valid', owner: from });
    const own = service.as(job.plaintext);
    expect((await getMe({ client: own })).response.status).toBe(200);
    await expectRefusal(service, () => createAccessToken({ client: own, body: { name: 'new' } }), { status: 503 });
    const underWay = { status: 409, body: { detail: ANY_STRING, code: 'offboarding_under_way' } };
    const enable = () => updateUser({ client, path: { user_id: from }, body: { disabled: false } });
    await expectRefusal(service, enable, underWay);
    await expectRefusal(service, () => offboard(client, from, { tokens: 'revoke' }), underWay);
    await expectRefusal(service, () => offboard(client, from, { tokens: 'transfer', to: 1 }), underWay);
    await expectRefusal(service, () => offboard(client, to, { tokens: 'revoke' }), underWay);
    expect(await answered(offboard(client, from, { tokens: 'transfer', to }))).toMatchObject({
      sessionCount: 4,
      transferredCount: 1_501,
    });
    expect(await verdict(client, job.plaintext)).toEqual({ code: 'valid', owner: to });
    await answered(enable());
    expect((await getMe({ client: bea.client })).response.status).toBe(200);
    expect((await getMe({ client: ada.client })).response.status).toBe(200);
  });

  test('keeps tokens:act-as meanwhile, if the new owner can have it', async () => {
    const { service, admin, ada, bea, from } = await leaving();
    const { client } = admin;
    await answered(updateUser({ client, path: { user_id: from }, body: { isAdmin: true } }));
    const own = await service.logIn(ada.email, ada.password);
    const { plaintext } = await create(own.client, 'backend', ['tokens:act-as', 'users:admin', 'tokens:read']);
    const backend = await answered(createService({ client, body: { fullName: 'backend' } }));
    const path = { external_id: 'cus_42' };
    await answered(putExternalUser({ client, path, body: {} }));
    const statuses = async () => {
      const moved = service.as(plaintext);
      const answers = [
        await getExternalUser({ client: moved, path }),
        await listAccessTokens({ client: moved, query: { externalOwner: 'cus_42' } }),
        await putExternalUser({ client: moved, path, body: {} }),
        await listUsers({ client: moved }),
      ];
      return answers.map(({ response }) => response.status);
    };
    expect(await statuses()).toEqual([200, 200, 200, 200]);
    const moving = async (to: number) => {
      await change(service, 'delete from offboardings');
      await stopAfterBegin(service, from, to);
      return await statuses();
    };
    // A change is sent again when the token has moved. users:admin waits for that too.
    expect(await moving(backend.id)).toEqual([200, 200, 503, 403]);
    expect(await moving(admin.session.id)).toEqual([200, 200, 503, 403]);
    expect(await moving(bea.session.id)).toEqual([403, 403, 403, 403]);
    await moving(backend.id);
    await answered(offboard(client, from, { tokens: 'transfer', to: backend.id, cutScopes: true }));
    expect(await statuses()).toEqual([200, 200, 200, 403]);
  });

  test('or at the next sweep', async () => {
    const { service, admin, job, from, to } = await leaving();
    const { session, token } = await service.newUser('cyd@example.org');
    const lost = await create(service.as(token), 'lost');
    await fill(service, from, 1_500);
    await stopAfterBegin(service, from, to);
    await stopAfterBegin(service, session.id, null);
    expect(await verdict(admin.client, lost.plaintext)).toEqual({ code: 'owner_disabled', owner: session.id });
    await sweep(service);
    expect(await verdict(admin.client, job.plaintext)).toEqual({ code: 'valid', owner: to });
    expect(await verdict(admin.client, lost.plaintext)).toEqual({ code: 'revoked', owner: session.id });
    expect(
      await rowsOf(service, 'select user_id, tokens from offboardings where ended_at is not null order by 1'),
    ).toEqual([
      { user_id: from, tokens: 1_501 },
      { user_id: session.id, tokens: 1 },
    ]);
  });

  test('and a sweep leaves an offboarding that began anew with another wish to whoever began it', async () => {
    const { service, admin, ada, job, from, to } = await leaving();
    const { client } = admin;
    const { session, token } = await service.newUser('cyd@example.org');
    const lost = await create(service.as(token), 'lost');
    await stopAfterBegin(service, from, to);
    await stopAfterBegin(service, session.id, null);
    const opened = await openDatabase(service.database);
    let isFirst = true;
    const db: Database = {
      ...opened,
      async write(work, turn) {
        if (isFirst) {
          isFirst = false;
          // The sweep has found both offboardings, and changed nothing yet.
          await answered(offboard(client, from, { tokens: 'transfer', to }));
          await answered(updateUser({ client, path: { user_id: from }, body: { disabled: false } }));
          const own = await service.logIn(ada.email, ada.password);
          await create(own.client, 'later');
          await stopAfterBegin(service, from, null);
        }
        return await opened.write(work, turn);
      },
    };
    try {
      await finishOffboardings({ db, now: service.clock.now, config: defaultConfig }, SYSTEM);
    } finally {
      await opened.close();
    }
    expect(await verdict(client, job.plaintext)).toEqual({ code: 'valid', owner: to });
    expect(await verdict(client, lost.plaintext)).toEqual({ code: 'revoked', owner: session.id });
    expect(await rowsOf(service, 'select user_id, to_id from offboardings where ended_at is null')).toEqual([
      { user_id: from, to_id: null },
    ]);
    expect(await answered(offboard(client, from, { tokens: 'revoke' }))).toMatchObject({ revokedCount: 1 });
  });
});

test('an external owner is neither enabled nor deleted while its tokens move, or others move to it', async () => {
  const { service, admin, from } = await leaving();
  const { client } = admin;
  const put = (external_id: string, body: ExternalUser) => putExternalUser({ client, path: { external_id }, body });
  const [old, heir] = [await answered(put('cus_42', {})), await answered(put('cus_43', {}))];
  const query = { owner: old.id };
  const job = await answered(createAccessToken({ client, query, body: { name: 'job', scopes: [] } }));
  await stopAfterBegin(service, old.id, heir.id);
  const underWay = { status: 409, body: { detail: ANY_STRING, code: 'offboarding_under_way' } };
  for (const external_id of ['cus_42', 'cus_43']) {
    await expectRefusal(service, () => deleteExternalUser({ client, path: { external_id } }), underWay);
  }
  await expectRefusal(service, () => put('cus_42', { disabled: false }), underWay);
  expect((await put('cus_42', { fullName: 'Ada Ltd' })).data).toMatchObject({ disabled: true });
  await answered(offboard(client, old.id, { tokens: 'transfer', to: heir.id }));
  expect(await verdict(client, job.plaintext)).toEqual({ code: 'valid', owner: heir.id });
  expect((await deleteExternalUser({ client, path: { external_id: 'cus_43' } })).response.status).toBe(204);
  expect(await verdict(client, job.plaintext)).toEqual({ code: 'revoked', owner: heir.id });
  expect((await put('cus_42', { disabled: false })).data).toMatchObject({ disabled: false });
  // Whoever is deleted gets nothing, and cannot leave.
  await expectRefusal(service, () => offboard(client, from, { tokens: 'transfer', to: heir.id }), {
    status: 404,
    body: { detail: 'No such owner.', code: 'owner_not_found' },
  });
  await expectRefusal(service, () => offboard(client, heir.id, { tokens: 'revoke' }), { status: 404 });
});

describe('what is refused', () => {
  test('the last administrator, an unknown user or owner, the user itself, and everybody but administrators', async () => {
    const { service, admin, ada, bea, from, to } = await leaving();
    const { client } = admin;
    const body = { tokens: 'transfer', to } as const;
    await expectRefusal(service, () => offboard(client, 1, body), {
      status: 409,
      body: { detail: ANY_STRING, code: 'last_admin' },
    });
    await expectRefusal(service, () => offboard(client, 4711, body), {
      status: 404,
      body: { detail: 'No such user.', code: 'not_found' },
    });
    await expectRefusal(service, () => offboard(client, 4711, { tokens: 'revoke' }), { status: 404 });
    await expectRefusal(service, () => offboard(client, from, { ...body, to: 4711 }), {
      status: 404,
      body: { detail: 'No such owner.', code: 'owner_not_found' },
    });
    await expectRefusal(service, () => offboard(client, from, { ...body, to: from }), {
      status: 409,
      body: { detail: 'The tokens cannot stay with the user who leaves.', code: 'owner_disabled' },
    });
    await change(service, `update users set disabled_at = 1 where id = ${String(to)}`);
    await expectRefusal(service, () => offboard(client, from, body), {
      status: 409,
      body: { detail: ANY_STRING, code: 'owner_disabled' },
    });
    await expectRefusal(service, () => offboard(ada.client, to, { tokens: 'revoke' }), { status: 403 });
    await expectRefusal(service, () => offboard(bea.client, from, { tokens: 'revoke' }), { status: 401 });
    for (const json of [{ tokens: 'transfer' }, { tokens: 'revoke', to }, { to }, { tokens: 'keep' }]) {
      const line = `POST /api/v1/users/${String(from)}/offboard` as const;
      await expectRefusal(service, () => send(service, line, { token: admin.token, json }), { status: 422 });
    }
  });

  test('an administrator can leave if another one stays', async () => {
    const { service, admin, ada, from, to } = await leaving();
    await change(service, `update users set is_admin = 1 where id = ${String(from)}`);
    await create(admin.client, 'of the first');
    const answer = await answered(offboard(admin.client, 1, { tokens: 'transfer', to }));
    expect(answer).toMatchObject({ sessionCount: 1, transferredCount: 1 });
    expect((await getMe({ client: admin.client })).response.status).toBe(401);
    expect((await getMe({ client: ada.client })).response.status).toBe(200);
  });
});
