import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FoundToken, scan } from '../../scan/index.js';
import { withChecksum } from '../support/plaintext.js';
import { newFolder } from '../support/process.js';
import { tokenOf } from '../support/scan.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN = tokenOf(1);

async function foundIn(content: string | Uint8Array, brands?: string[]): Promise<FoundToken[]> {
  const file = join(await newFolder(), 'content');
  await writeFile(file, content);
  return (await scan([file], brands === undefined ? {} : { brands })).tokens;
}

async function plaintextsIn(content: string | Uint8Array, brands?: string[]): Promise<string[]> {
  return (await foundIn(content, brands)).map(({ plaintext }) => plaintext());
}

test.each([
  ['pat', 'lk'],
  ['ses', 'lk'],
  ['ref', 'lk'],
  ['pat', 'a'],
  ['ses', 'k8s0'],
  ['ref', 'abcdefghijklmnop'],
])('a %s of the brand %s is found', async (kind, brand) => {
  const token = tokenOf(7, kind, brand);
  const [found, ...others] = await foundIn(`x = "${token}"\n`);
  expect(found).toMatchObject({ kind, brand, masked: `${token.slice(0, 12)}***` });
  expect(found?.plaintext()).toBe(token);
  expect(others).toEqual([]);
});

test('a token is found whatever stands beside it, since its checksum tells where it begins and ends', async () => {
  const before = ['\\n', '%20', '%3D', 'TOKEN_', 'Bearer\u00a0', 'ada', '0', 'x'.repeat(50), '_pat_', 'ü', '\0'];
  const after = ['\\n', 'deploy bot', '0', TOKEN, '_', 'é', '\0', 'x'.repeat(50)];
  for (const left of before) {
    for (const right of after) {
      const [found] = await plaintextsIn(left + TOKEN + right);
      expect(found, `${left}|${right}`).toBe(TOKEN);
    }
  }
});

test('a token is no token with any character of it changed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: TOKEN.length - 1 }),
      fc.constantFrom(...BASE62.split(''), '_', '-'),
      fc.constantFrom('', ' ', 'x'),
      async (index, character, around) => {
        fc.pre(TOKEN[index] !== character);
        const changed = TOKEN.slice(0, index) + character + TOKEN.slice(index + 1);
        expect(await plaintextsIn(around + changed + around)).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

test('what only looks like a token is not found', async () => {
  const random = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';
  const lookalikes = [
    `lk_pat_${random}`,
    `lk_pat_${'0'.repeat(36)}`,
    withChecksum(`lk_pta_${random.slice(6)}`),
    withChecksum(`LK_pat_${random.slice(6)}`),
    withChecksum(`1_pat_${random.slice(6)}`),
    withChecksum(`_pat_${random.slice(6)}`),
    withChecksum(`abcdefghijklmnopq_pat_${random.slice(6)}`),
    withChecksum(`lk_pat_${random.slice(7)}`),
    withChecksum(`lk_pat_${random.slice(6, -1)}-`),
    TOKEN.slice(0, -1),
  ];
  expect(await plaintextsIn(lookalikes.join('\n'))).toEqual([]);
});

test('random base62 text gives no false alarm, even where every row begins like a token', async () => {
  let state = 1;
  const random = (length: number) =>
    Array.from({ length }, () => BASE62.charAt((state = (state * 48_271) % 2_147_483_647) % 62)).join('');
  expect(await plaintextsIn(random(500_000))).toEqual([]);
  expect(await plaintextsIn(Array.from({ length: 20_000 }, () => `lk_pat_${random(36)}`).join(''))).toEqual([]);
});

test('brands that are named are the only ones found', async () => {
  const content = ['lk', 'acme', 'xlk'].map((brand) => tokenOf(3, 'pat', brand)).join('\n');
  expect(await plaintextsIn(content)).toHaveLength(3);
  expect(await plaintextsIn(content, ['lk', 'acme'])).toEqual([tokenOf(3, 'pat', 'lk'), tokenOf(3, 'pat', 'acme')]);
  expect(await plaintextsIn(content, ['other'])).toEqual([]);
});

describe('in UTF-16', () => {
  const text = `name\tvalue\r\nñandú 🦊\t${TOKEN}\r\n${TOKEN}`;
  const little = Buffer.from(text, 'utf16le');
  const big = Buffer.from(little).swap16();

  test.each([
    ['little-endian', little],
    ['little-endian with a mark', Buffer.concat([Buffer.from([0xff, 0xfe]), little])],
    ['big-endian', big],
    ['big-endian with a mark', Buffer.concat([Buffer.from([0xfe, 0xff]), big])],
  ])('%s, tokens are found with their lines and columns', async (_, content) => {
    const [found, ...others] = await foundIn(content);
    expect(found?.places.map(({ line, column }) => [line, column])).toEqual([
      [2, 10],
      [3, 1],
    ]);
    expect(others).toEqual([]);
  });

  test('tokens are found at any distance from the start, and among zeros', async () => {
    for (let distance = 0; distance < 80; distance++) {
      const wide = Buffer.from(TOKEN, 'utf16le');
      const [found, ...others] = await foundIn(Buffer.concat([Buffer.alloc(distance), wide, Buffer.alloc(distance)]));
      expect(found?.places.map(({ offset }) => offset)).toEqual([distance]);
      expect(others).toEqual([]);
    }
  });
});

test('nothing shows a plaintext but asking for it', async () => {
  const [found] = await foundIn(TOKEN);
  expect(JSON.stringify(found) + inspect(found, { depth: null, showHidden: true })).not.toContain(TOKEN.slice(12));
  expect(found?.plaintext()).toBe(TOKEN);
});
