import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

// The comparison's honesty, never its speed.

/** Milliseconds; it takes a few seconds, and more beside other tests. */
const PATIENCE = 90_000;

describe('The benchmark', { timeout: PATIENCE }, () => {
  test('compares what answers alike: status, headers and body of each operation', () => {
    const { status, stdout } = smoke();
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(
        'All answer as Latchkey does: floor; Latchkey, answers checked; Fastify.',
      ) as string,
    });
    for (const operation of ['me', 'get', 'verify', 'list 50', 'create', 'revoke']) {
      expect(stdout).toMatch(new RegExp(`^\\| ${operation} +\\| 4 +\\| floor `, 'm'));
    }
  });

  test('compares on PostgreSQL what answers alike', () => {
    const { status, stdout } = spawnSync(process.execPath, ['bench/postgres.mjs', '--smoke'], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'The floor on PostgreSQL answers as Latchkey does: verify, create.\n',
    });
  });

  test('names a contender that answers otherwise, and ends with 1', () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-test-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const program = join(folder, 'hasty.mjs');
    writeFileSync(
      program,
      `import { createServer } from 'node:http';
      const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
      server.listen(0, '127.0.0.1', () => console.log('listening on http://127.0.0.1:' + server.address().port));`,
    );
    const { status, stdout } = smoke('--contender', `hasty=${program} {database}`);
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: expect.stringContaining('hasty: verify: body: {}') as string,
    });
    expect(stdout).toContain('hasty: create: status: 200');
    expect(stdout).not.toContain('floor:');
  });
});

function smoke(...args: string[]) {
  return spawnSync(process.execPath, ['bench/main.mjs', '--smoke', ...args], { encoding: 'utf8' });
}
