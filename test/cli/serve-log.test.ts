import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAccessToken } from '../../generated/index.js';
import {
  ADMIN,
  logInTo,
  logOf,
  newFolder,
  type Serving,
  serve,
  serveDatabase,
  stopServing,
} from '../support/process.js';
import { answered } from '../support/service.js';

// The log that a service writes to standard error.

const MEMORY = { LATCHKEY_DATABASE: ':memory:' };

describe('the log', () => {
  test('each request is one JSON line on standard error', async () => {
    const folder = await newFolder();
    const serving = await serveDatabase(join(folder, 'latchkey.db'));
    const { client, token } = await logInTo(serving.url);
    const created = await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
    const headers = { Authorization: `Bearer ${created.plaintext}`, 'X-Request-Id': 'my-own.id_1' };
    await fetch(`${serving.url}/api/v1/access-tokens/${created.token.id}`, { headers });
    await fetch(`${serving.url}/api/v1/access-tokens?limit=7`, { headers: { 'X-API-Key': 'lk_pat_nonsense' } });
    await fetch(`${serving.url}/nowhere?password=hunter2`, { method: 'PUT' });

    const lines = await logOfLength(serving, 5);
    const common = {
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      ms: expect.any(Number) as number,
      requestId: expect.stringMatching(/^[A-Za-z0-9._-]{1,128}$/) as string,
      msg: 'request',
    };
    expect(lines).toEqual([
      { ...common, method: 'POST', route: '/api/v1/auth/login/', status: 200, callerId: null },
      { ...common, method: 'POST', route: '/api/v1/access-tokens', status: 201, callerId: 1 },
      {
        ...common,
        method: 'GET',
        route: '/api/v1/access-tokens/{token_id}',
        status: 200,
        requestId: 'my-own.id_1',
        callerId: 1,
      },
      {
        ...common,
        method: 'GET',
        route: '/api/v1/access-tokens',
        status: 401,
        callerId: null,
        code: 'unauthorized',
        reason: 'malformed',
      },
      { ...common, method: 'PUT', route: null, status: 404, callerId: null, code: 'not_found' },
    ]);
    for (const secret of [token, created.plaintext, ADMIN.password, 'nonsense', 'hunter2', 'limit=7']) {
      expect(serving.output.stderr).not.toContain(secret);
    }
    expect(serving.output.stdout).toBe(`latchkey listening on ${serving.url}\n`);
  });

  test('the request id of the log is the one of the answer', async () => {
    const serving = await serve(MEMORY);
    const { headers } = await fetch(`${serving.url}/healthz`, { headers: { 'X-Request-Id': 'no good id' } });
    const [line] = await logOfLength(serving, 1);
    expect(headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(line?.['requestId']).toBe(headers.get('X-Request-Id'));
  });

  test.each([
    ['silent', 0],
    ['warn', 0],
    ['info', 2],
  ])('LATCHKEY_LOG_LEVEL=%s writes %i lines for a good request', async (level, count) => {
    const serving = await serve({ ...MEMORY, LATCHKEY_LOG_LEVEL: level });
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
    const { stderr } = await stopServing(serving);
    // One for the request here and one for the request of `stopServing`.
    expect(logOf({ output: { stdout: '', stderr } })).toHaveLength(count);
  });
});

/** The log once it has `count` lines: a line may come a moment later than the answer that it is about. */
async function logOfLength(serving: Serving, count: number): Promise<Record<string, unknown>[]> {
  await expect.poll(() => logOf(serving).length).toBeGreaterThanOrEqual(count);
  return logOf(serving);
}
