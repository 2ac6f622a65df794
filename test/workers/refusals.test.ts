import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startServer } from '../../server/index.js';
import { latchkey, newFolder } from '../support/process.js';

describe('what cannot be served by several processes is refused', () => {
  test('a database in memory', async () => {
    const { code, stderr } = await latchkey(['serve', '--workers', '2', '--database', ':memory:']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'latchkey: LATCHKEY_WORKERS must be 1 with LATCHKEY_DATABASE :memory:, because other processes cannot use that database\n',
    });
  });

  test('a local server for tests', async () => {
    const { code, stderr } = await latchkey(['serve', '--workers', '2', '--testing']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'latchkey: --testing runs in one process: --workers (LATCHKEY_WORKERS) must be 1\n',
    });
    await expect(startServer({ workers: 2, testing: {} })).rejects.toThrow('option workers must be 1 with testing');
    await expect(startServer({ workers: 2 })).rejects.toThrow('option workers must be 1');
  });

  test.each(['0', '65', 'two', '1.5'])('LATCHKEY_WORKERS=%s', async (text) => {
    const { code, stderr } = await latchkey(['serve'], { env: { LATCHKEY_WORKERS: text } });
    expect(stderr).toBe('latchkey: LATCHKEY_WORKERS must be an integer from 1 to 64\n');
    expect(code).toBe(2);
  });

  test('a port that is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const env = { LATCHKEY_WORKERS: '2', LATCHKEY_DATABASE: join(await newFolder(), 'latchkey.db') };
    const { code, stdout, stderr } = await latchkey(['serve', '--port', String(port)], { env });
    holder.close();
    expect(stderr).toMatch(
      /^latchkey: 127\.0\.0\.1:\d+ is in use by another process: choose another port with --port or LATCHKEY_PORT\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});
