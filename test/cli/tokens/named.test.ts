import { describe, expect, test } from 'vitest';
import type { AccessToken } from '../../../client/index.js';
import { plaintextOf } from '../../support/local-server.js';
import { json, startMany, tokenOf } from '../../support/many-tokens.js';

describe('a token on the command line', () => {
  test.each([
    ['its id', '01821111-0000-7000-8000-00000000000c', '0c'],
    ['its id in capitals', '01821111-0000-7000-8000-00000000000C', '0c'],
    ['the start of its id', '01822', '0d'],
    ['what it begins with', 'lk_pat_twin2', '0d'],
    ['its name', 'old', '0e'],
    ['the name of one that lives, and of one that is revoked', 'ci', '0a'],
  ])('is found by %s', async (_, selector, end) => {
    const line = await startMany();
    expect((await json<AccessToken>(line, ['tokens', 'show', selector])).id.slice(-2)).toBe(end);
  });

  test('is found by what it began with before it was rotated', async () => {
    const line = await startMany();
    await line.run(['tokens', 'rotate', 'old', '--grace', '1h']);
    expect((await json<AccessToken>(line, ['tokens', 'show', 'lk_pat_old00'])).name).toBe('old');
  });

  test('"current" is the one in use', async () => {
    const line = await startMany();
    expect((await json<AccessToken>(line, ['tokens', 'show', 'current'])).id).toBe((await line.profile())['tokenId']);
  });

  test('that may be several ends with code 1 and the candidates, and nothing happens', async () => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'rotate', 'twin']);
    expect(stderr).toBe(
      [
        'latchkey: "twin" matches 2 tokens; use an id:',
        '  01822222-0000-7000-8000-00000000000d  lk_pat_twin2  disabled  twin',
        '  01821111-0000-7000-8000-00000000000c  lk_pat_twin1  expiring  twin',
        '',
      ].join('\n'),
    );
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect((await tokenOf(line, '01821111-0000-7000-8000-00000000000c')).previousSecret).toBeNull();
  });

  test.each([
    ['nobody', 'latchkey: there is no token with the id, prefix or name "nobody"\n'],
    ['', 'latchkey: there is no token with the id, prefix or name ""\n'],
    ["bob's", `latchkey: there is no token with the id, prefix or name "bob's"\n`],
    ['\u001b[31m', 'latchkey: there is no token with the id, prefix or name "\\u001b[31m"\n'],
  ])('that is %j ends with code 1', async (selector, says) => {
    const line = await startMany();
    const { code, stdout, stderr } = await line.run(['tokens', 'show', selector]);
    expect(stderr).toBe(says);
    expect(code).toBe(1);
    expect(stdout).toBe('');
  });

  test("an id of nobody's, or of another owner, is not found", async () => {
    const line = await startMany();
    const { code, stderr } = await line.run(['tokens', 'show', '01821111-0000-7000-8000-0000000000ff']);
    expect(stderr).toMatch(/^latchkey: No such token \(request [\w-]+\)\n$/);
    expect(code).toBe(1);
  });

  test('in plaintext is refused before anything is sent, and not repeated', async () => {
    const line = await startMany();
    const plaintext = plaintextOf(line.server, 'old');
    line.server.requests.clear();
    for (const args of [
      ['tokens', 'show', plaintext],
      ['tokens', 'verify', plaintext],
      ['tokens', 'create', 'x', `--description=${plaintext}`],
      ['login', '--token-stdin', plaintext],
      [plaintext],
    ]) {
      const { code, stdout, stderr } = await line.run(args);
      expect(stderr).toMatch(/^latchkey: do not pass a token on the command line, .*\n$/);
      expect(stderr).not.toContain(plaintext);
      expect(code).toBe(2);
      expect(stdout).toBe('');
    }
    expect(line.server.requests.all()).toEqual([]);
  });
});
