import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scan } from '../../scan/index.js';
import { newFolder } from '../support/process.js';
import { tokenOf } from '../support/scan.js';

/** Bytes that are searched at a time. */
const CHUNK = 256 * 1024;
const TOKEN = tokenOf(1);

interface Position {
  offset: number;
  line: number;
  column: number;
}

async function positionsIn(content: Uint8Array): Promise<Position[]> {
  const file = join(await newFolder(), 'content');
  await writeFile(file, content);
  const { tokens } = await scan([file]);
  return tokens
    .flatMap(({ places }) => places)
    .map(({ offset, line, column }) => ({ offset, line, column }))
    .sort((a, b) => a.offset - b.offset);
}

/** What any editor would say. */
function expectedIn(text: string): Position[] {
  return [...text.matchAll(/lk_pat_\w{36}/g)].map(({ index }) => {
    const before = text.slice(0, index);
    const lines = before.split('\n');
    return { offset: Buffer.byteLength(before), line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  });
}

test('a token at any distance from the border of two pieces is found once', async () => {
  const around = fc.integer({ min: -150, max: 150 });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      around,
      fc.constantFrom('x', ' ', '\n', '_', '\0', 'ab_pat_'),
      fc.boolean(),
      async (pieces, distance, filler, isWide) => {
        const token = Buffer.from(TOKEN, isWide ? 'utf16le' : 'latin1');
        const content = Buffer.alloc(4 * CHUNK, filler);
        const offset = pieces * CHUNK + distance;
        token.copy(content, offset);
        expect((await positionsIn(content)).map((position) => position.offset)).toEqual([offset]);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

test('many tokens across several pieces are each found once, at the line and column that an editor shows', async () => {
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(TOKEN, `${TOKEN}${TOKEN}`) },
    { weight: 2, arbitrary: fc.constantFrom('\n', '\r\n', '\n\n', 'é', '日本', '🦊', '\t', '_', ' _pat_') },
    { weight: 1, arbitrary: fc.nat({ max: 70_000 }).map((length) => 'word é '.repeat(length / 7)) },
    { weight: 1, arbitrary: fc.nat({ max: 3_000 }).map((lines) => 'a line\r\n'.repeat(lines)) },
    { weight: 1, arbitrary: fc.nat({ max: 70_000 }).map((length) => 'x'.repeat(length)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 5, maxLength: 40 }), fc.boolean(), async (pieces, isMarked) => {
      const text = pieces.join('');
      const expected = expectedIn(text).map((position) => ({
        ...position,
        offset: position.offset + (isMarked ? 3 : 0),
      }));
      expect(await positionsIn(Buffer.from(`${isMarked ? '\uFEFF' : ''}${text}`))).toEqual(expected);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('a first token far into a large file has its line and column too', async () => {
  const text = `${'some line\n'.repeat(200_000)}${'é'.repeat(300_000)}${TOKEN}`;
  expect(await positionsIn(Buffer.from(text))).toEqual(expectedIn(text));
});
