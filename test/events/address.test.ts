import { expect, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import { type Config, defaultConfig } from '../../server/config/config.js';
import { recordedAddress } from '../../server/events/address.js';
import { answered, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

test.each<[string | null, Config['auditIp'], string | null]>([
  ['203.0.113.77', 'full', '203.0.113.77'],
  ['203.0.113.77', 'network', '203.0.113.0/24'],
  ['203.0.113.77', 'none', null],
  ['2001:db8:1:2:3::4', 'full', '2001:db8:1:2:3::4'],
  ['2001:db8:1:2:3::4', 'network', '2001:db8:1::/48'],
  [null, 'full', null],
  [null, 'network', null],
])('of %s, %s keeps %s', (address, kept, expected) => {
  expect(recordedAddress(address, kept)).toBe(expected);
});

test.each([
  ['full', '127.0.0.1'],
  ['network', '127.0.0.0/24'],
  ['none', null],
] as const)('a service with LATCHKEY_AUDIT_IP=%s writes %s', async (auditIp, address) => {
  const service = await startService({ auditIp });
  const { client } = await service.admin();
  await answered(createAccessToken({ client, body: { name: 'a' } }));
  expect(await rowsOf(service, "select address from audit_events where action = 'token.created'")).toEqual([
    { address },
  ]);
  expect(defaultConfig.auditIp).toBe('full');
});
