import { beforeAll, describe, expect, test } from 'vitest';
import { latchkeyPerFile, latchkeyPerTest } from '../../testing/vitest.js';
import { send } from '../support/http.js';
import { SEED } from '../support/local-server.js';

describe('latchkeyPerFile', () => {
  const server = latchkeyPerFile({ testing: { seed: SEED } });
  const urls = new Set<string>();

  test('is no server yet while tests are collected', () => {
    expect(collected).toBe('the local server runs in tests and hooks only');
  });
  let collected = '';
  try {
    collected = server.url;
  } catch (error) {
    collected = error instanceof Error ? error.message : '';
  }

  beforeAll(() => {
    // There in hooks, too.
    urls.add(server.url);
  });

  test.each([1, 2])('gives test %i the same server, back at its seed', async () => {
    urls.add(server.url);
    expect(urls.size).toBe(1);
    expect('clock' in server).toBe(true);
    expect(server.requests.all()).toEqual([]);
    expect(server.clock.state().frozen).toBe(false);
    const token = server.users[0]?.tokens[0]?.plaintext ?? '';
    const id = server.users[0]?.tokens[0]?.id ?? '';
    expect((await send(server, `DELETE /api/v1/access-tokens/${id}`, { token })).status).toBe(204);
    server.clock.freeze('2030-01-01T00:00:00Z');
  });
});

describe('latchkeyPerTest', () => {
  const own = latchkeyPerTest();
  const urls = new Set<string>();

  own.concurrent.for([1, 2, 3])('gives test %i a server of its own', async (_, { latchkey }) => {
    urls.add(latchkey.url);
    expect((await send(latchkey, 'GET /healthz')).status).toBe(200);
  });
  test('and each was another', () => {
    expect(urls.size).toBe(3);
  });
});
