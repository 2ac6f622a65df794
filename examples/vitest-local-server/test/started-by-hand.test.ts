import { startServer } from 'latchkey/server';
import { expect, test } from 'vitest';

test('the server can be started by hand as well', async () => {
  await using server = await startServer({ port: 0, database: ':memory:', testing: {} });
  const answer = await fetch(`${server.url}/healthz`);
  expect(await answer.json()).toEqual({ status: 'ok' });
});
