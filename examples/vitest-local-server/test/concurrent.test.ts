import { latchkeyPerTest } from 'latchkey/vitest';
import { expect } from 'vitest';

const test = latchkeyPerTest();

test.concurrent.for(['2030', '2040', '2050'])('in %s the clock is this test’s own', async (year, { latchkey }) => {
  latchkey.clock.freeze(`${year}-01-01T00:00:00Z`);
  const token = await latchkey.connection().token();
  const answer = await fetch(`${latchkey.url}/api/v1/access-tokens`, { headers: { Authorization: `Bearer ${token}` } });
  const { items } = (await answer.json()) as { items: { createdAt: string }[] };
  expect(items.map(({ createdAt }) => createdAt)).toEqual([`${year}-01-01T00:00:00.000Z`]);
});
