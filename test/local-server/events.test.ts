import { expect, test } from 'vitest';
import { startLocal } from '../support/local-server.js';

test('events of a local server are followed, and its frozen clock dates them', async () => {
  const server = await startLocal({ testing: { frozenAt: '2030-06-15T12:00:00Z' } });
  const client = server.client();
  const events = client.events({ after: 0 });
  const first = events.next();
  const { token } = await client.createAccessToken({ body: { name: 'a' } });
  const createdAt = '2030-06-15T12:00:00.000Z';
  expect((await first).value).toMatchObject({ action: 'token.created', createdAt, target: { tokenId: token.id } });
  server.clock.advance(1_000);
  await client.revokeAccessToken({ path: { token_id: token.id } });
  const { value } = await events.next();
  expect(value).toMatchObject({ action: 'token.revoked', createdAt: '2030-06-15T12:00:01.000Z' });
  await events.return();
});
