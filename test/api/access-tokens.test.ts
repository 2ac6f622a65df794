import { expect, test } from 'vitest';
import { createAccessToken, listAccessTokens } from '../../client/index.js';
import { answered, startService } from '../support/service.js';

test('a created token is listed', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
  expect(plaintext).toMatch(/^lk_pat_[0-9A-Za-z]{36}$/);
  const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
  expect(items).toEqual([token]);
});
