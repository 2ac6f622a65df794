import { expect, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import {
  createAccessToken,
  exportAuditEvents,
  logIn,
  revokeAccessToken,
  revokeAccessTokens,
  updateUser,
} from '../../generated/index.js';
import { EVENT_ACTIONS } from '../../server/database/closed-lists.js';
import type { Event } from '../../server/events/event.js';
import { toOcsf } from '../../server/events/ocsf.js';
import { answered, type Service, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

// The export of events, also in the Open Cybersecurity Schema Framework.

/** What OCSF 1.3 requires of every event, of the classes in use, and of their activities. */
const CLASSES: Record<number, { name: string; required: string[]; activities: number[] }> = {
  3001: { name: 'Account Change', required: ['user'], activities: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99] },
  3002: { name: 'Authentication', required: ['user', 'service'], activities: [1, 2, 3, 4, 5, 6, 99] },
  3004: { name: 'Entity Management', required: ['entity'], activities: [1, 2, 3, 4, 99] },
};

interface Ocsf extends Record<string, unknown> {
  metadata: { version: string; product: { vendor_name: string }; sequence: number; event_code: string };
  class_uid: number;
  activity_id: number;
  user?: { uid?: string; name?: string };
  entity?: { uid?: string; name?: string };
}

function expectValid(event: Ocsf): void {
  const { name, required, activities } = CLASSES[event.class_uid] ?? { name: '', required: [], activities: [] };
  for (const member of [...required, 'metadata', 'time', 'severity_id', 'actor'])
    expect(event, event.metadata.event_code).toHaveProperty(member);
  expect(event).toMatchObject({
    category_uid: 3,
    class_name: name,
    type_uid: event.class_uid * 100 + event.activity_id,
    metadata: { version: '1.3.0', product: { vendor_name: 'Latchkey' } },
  });
  expect(activities).toContain(event.activity_id);
  // Both objects need a name or an id.
  const subject = event.user ?? event.entity;
  expect(subject?.uid ?? subject?.name, event.metadata.event_code).toEqual(expect.any(String));
}

async function linked(service: Service): Promise<void> {
  const unlinked = 'select 1 from audit_events where seq is null';
  await expect.poll(() => rowsOf(service, unlinked), { timeout: 5_000 }).toEqual([]);
}

test('an export in OCSF has what each class requires', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const user = await service.newUser();
  const { token } = await answered(createAccessToken({ client, body: { name: 'deploy' } }));
  await revokeAccessToken({ client, path: { token_id: token.id } });
  await answered(createAccessToken({ client, body: { name: 'another' } }));
  await answered(revokeAccessTokens({ client, body: { filter: { tokenType: 'pat' } } }));
  await answered(updateUser({ client, path: { user_id: user.session.id }, body: { disabled: true } }));
  await logIn({ client: service.anonymous, body: { username: 'nobody@example.org', password: 'a wrong password' } });
  await linked(service);
  const { data } = await exportAuditEvents({ client, query: { format: 'ocsf' }, parseAs: 'text' });
  const events = String(data)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Ocsf);
  for (const event of events) expectValid(event);
  expect(events.map(({ metadata }) => metadata.sequence)).toEqual(events.map((_, index) => index + 1));
  const revoked = events.find(({ metadata }) => metadata.event_code === 'token.revoked');
  expect(revoked).toMatchObject({
    class_uid: 3004,
    activity_id: 4,
    status_detail: 'user',
    entity: { type: 'access token', uid: token.id, name: 'deploy' },
    actor: { user: { uid: '1', email_addr: 'admin@latchkey.local' } },
    src_endpoint: { ip: '127.0.0.1' },
  });
  expect(String(data)).not.toMatch(/lk_(pat|ses)_\w{36}/);
});

test('every action has a class, also without a target and an actor', () => {
  for (const action of EVENT_ACTIONS) {
    const event: Event = {
      id: 1,
      uuid: '01983f0c-1e5a-7c3b-9a52-2f6d0c1be1aa',
      seq: 1,
      at: 1,
      action,
      actor: { kind: 'system', userId: null, tokenUuid: null, label: null },
      address: null,
      userAgent: null,
      requestId: null,
      ownerId: null,
      target: null,
      reason: null,
      changes: {},
      hash: '0'.repeat(64),
    };
    expectValid(toOcsf(event) as Ocsf);
  }
});

test('the client reads all events, part by part', async () => {
  const service = await startService();
  const { client, token } = await service.admin();
  for (const name of ['a', 'b', 'c']) await answered(createAccessToken({ client, body: { name } }));
  await linked(service);
  const latchkey = createLatchkey({ baseUrl: service.url, token });
  const seen: (number | null)[] = [];
  for await (const { seq } of latchkey.auditEvents.all({ after: 1 })) seen.push(seq);
  expect(seen).toEqual([2, 3, 4, 5]);
});
