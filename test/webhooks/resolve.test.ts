import { expect, test } from 'vitest';
import { createResolve } from '../../server/webhooks/resolve.js';

test('a name is looked up once for all who ask at the same time, and not again while it is unknown', async () => {
  const asked: string[] = [];
  let answer: (addresses: string[]) => void = () => undefined;
  const resolve = createResolve(1_000, async (host) => {
    asked.push(host);
    return await new Promise<string[]>((resolve) => (answer = resolve));
  });
  const all = Array.from({ length: 10 }, () => resolve('a.example'));
  answer([]);
  expect(await Promise.all(all)).toEqual(all.map(() => []));
  expect(await resolve('a.example')).toEqual([]);
  expect(asked).toEqual(['a.example']);
  const known = resolve('b.example');
  answer(['203.0.113.7']);
  expect(await known).toEqual(['203.0.113.7']);
  const again = resolve('b.example');
  answer(['203.0.113.8']);
  expect(await again).toEqual(['203.0.113.8']);
  expect(asked).toEqual(['a.example', 'b.example', 'b.example']);
});

test('two look-ups run at a time, and one that takes too long counts as unknown', async () => {
  let running = 0;
  let most = 0;
  const resolve = createResolve(50, async () => {
    most = Math.max(most, ++running);
    return await new Promise<string[]>(() => undefined);
  });
  const names = Array.from({ length: 6 }, (_, index) => `${String(index)}.example`);
  expect(await Promise.all(names.map(resolve))).toEqual(names.map(() => []));
  expect(most).toBe(2);
});
