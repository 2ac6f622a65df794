import { setTimeout as sleep } from 'node:timers/promises';
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

test('names whose look-ups take too long do not keep another one waiting', async () => {
  const asked: string[] = [];
  let answers: (() => void)[] = [];
  const resolve = createResolve(
    30,
    async (host) => {
      asked.push(host);
      if (host.startsWith('slow')) await new Promise<void>((resolve) => answers.push(resolve));
      return ['203.0.113.7'];
    },
    0,
  );
  const names = ['slow-1.example', 'slow-2.example', 'slow-3.example'];
  const askAll = () => Promise.all(names.map(resolve));
  /** Lets the look-ups under way end, each of them later than it may. */
  const release = async () => {
    await sleep(40);
    for (const answer of answers.splice(0)) answer();
    await sleep(1);
  };
  expect(await askAll()).toEqual([[], [], []]);
  // Nobody could know that the first two are slow.
  expect(await resolve('quick.example')).toEqual([]);
  while (asked.length < 4) await release();
  await release();

  asked.length = 0;
  answers = [];
  expect(await askAll()).toEqual([[], [], []]);
  expect(await resolve('quick.example')).toEqual(['203.0.113.7']);
  expect(asked).toEqual(['slow-1.example', 'quick.example']);
  while (asked.length < 4) await release();
  await release();
  // One at a time, and each of them.
  expect(asked).toEqual(['slow-1.example', 'quick.example', 'slow-2.example', 'slow-3.example']);
});
