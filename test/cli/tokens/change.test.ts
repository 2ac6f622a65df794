import { describe, expect, test } from 'vitest';
import type { AccessToken } from '../../../client/index.js';
import { ADA } from '../../support/command.js';
import { plaintextOf } from '../../support/local-server.js';
import { json, PLAINTEXT, startMany, tokenOf } from '../../support/many-tokens.js';

describe('latchkey tokens rotate', () => {
  test('prints the new plaintext alone; with --grace the earlier one serves for so long', async () => {
    const line = await startMany();
    const earlier = plaintextOf(line.server, 'ci');
    const { code, stdout, stderr } = await line.run(['tokens', 'rotate', 'ci', '--grace', '24h']);
    expect(code).toBe(0);
    expect(stdout.trimEnd()).toMatch(PLAINTEXT);
    expect(stderr).toMatch(
      /^rotated ci \(\S+\); the earlier secret ends in 24 hours\nStore it now: it is not shown again\.\n$/,
    );
    for (const plaintext of [earlier, stdout.trim()]) {
      expect((await line.server.client(plaintext).getCurrentAccessToken()).name).toBe('ci');
    }
    const again = await line.run(['tokens', 'rotate', 'ci', '--expires-in', '30d', '--quiet']);
    expect(again.stderr).toBe('');
    await expect(line.server.client(earlier).getMe()).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('of the token in use keeps the profile working', async () => {
    const line = await startMany();
    const earlier = await line.profile();
    const { code, stdout } = await line.run(['tokens', 'rotate', 'current', '--quiet']);
    expect(code).toBe(0);
    expect(await line.profile()).toEqual({ ...earlier, token: stdout.trim() });
    expect((await line.run(['whoami'])).code).toBe(0);
  });
});

describe('latchkey tokens edit', () => {
  const id = '01820000-0000-7000-8000-00000000000a';

  test('changes what the flags say and nothing else', async () => {
    const line = await startMany();
    await line.run(['tokens', 'edit', 'ci', '--metadata', 'a=1', '--metadata', 'b=2']);
    const before = await tokenOf(line, id);
    const edited = await json<AccessToken>(line, [
      ...[
        'tokens',
        'edit',
        'ci',
        '--name',
        'ci of main',
        '--metadata',
        'b=3',
        '--metadata',
        'c=4',
        '--unset-metadata',
        'a',
      ],
    ]);
    expect(edited).toEqual({ ...before, name: 'ci of main', metadata: { b: '3', c: '4' } });
    expect(edited).toEqual(await tokenOf(line, id));
  });

  test.each([
    [['--description', 'What for.'], { description: 'What for.' }],
    [['--scope', 'y:1', '--scope', 'z:1'], { scopes: ['y:1', 'z:1'] }],
    [['--no-scope'], { scopes: [] }],
    [['--disable'], { disabled: true }],
    [['--expires-in', 'never'], { expiresAt: null }],
  ])('%j', async (flags, expected) => {
    const line = await startMany();
    const before = await tokenOf(line, id);
    expect(await json(line, ['tokens', 'edit', id, ...flags])).toEqual({ ...before, ...expected });
  });

  test('--enable takes --disable back', async () => {
    const line = await startMany();
    const twin = '01822222-0000-7000-8000-00000000000d';
    expect(await json(line, ['tokens', 'edit', twin, '--enable'])).toMatchObject({ disabled: false });
  });

  test('changes nothing where somebody else is quicker, and ends with code 1', async () => {
    const line = await startMany();
    line.server.faults.add({ operationId: 'updateAccessToken', delayMs: 4_000 });
    const editing = line.run(['tokens', 'edit', 'ci', '--metadata', 'mine=1']);
    await expect
      .poll(() => line.server.requests.all().some(({ operationId }) => operationId === 'getAccessToken'), {
        timeout: 10_000,
      })
      .toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // The delay counts for one request alone, which is the command's.
    await line.server
      .client(ADA.email)
      .updateAccessToken({ path: { token_id: id }, body: { metadata: { theirs: '1' } } });
    const { code, stderr } = await editing;
    expect(stderr).toMatch(
      /^latchkey: The ETag of the token does not match If-Match. Get the token again and send its new ETag \(request [\w-]+\)\n$/,
    );
    expect(code).toBe(1);
    expect((await tokenOf(line, id)).metadata).toEqual({ theirs: '1' });
  });

  test.each([
    [[], 'give at least one change'],
    [['--enable', '--disable'], 'cannot be used with option'],
  ])('with %j ends with code 2', async (flags, says) => {
    const line = await startMany();
    const { code, stderr } = await line.run(['tokens', 'edit', 'ci', ...flags]);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });
});
