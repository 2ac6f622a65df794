import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHUNK } from '../../scan/finder.js';
import { scan } from '../../scan/index.js';
import { newFolder } from '../support/process.js';
import { tokenOf } from '../support/scan.js';

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

test.each([
  ['in UTF-8', TOKEN, 'utf8'],
  ['in UTF-16', TOKEN, 'utf16le'],
  ['of the longest brand', tokenOf(1, 'pat', 'abcdefghijklmnop'), 'utf8'],
  ['of the longest brand in UTF-16', tokenOf(1, 'pat', 'abcdefghijklmnop'), 'utf16le'],
] as const)('a token %s at any distance from the border of two pieces is found once', async (_, token, encoding) => {
  const bytes = Buffer.from(token, encoding);
  for (const filler of ['\n', 'X', '_']) {
    for (let offset = CHUNK - 130; offset <= CHUNK + 2; offset++) {
      const content = Buffer.alloc(CHUNK + 500, filler);
      bytes.copy(content, offset);
      expect((await positionsIn(content)).map((position) => position.offset)).toEqual([offset]);
    }
  }
});

test('what one file ends with and the next one begins with is no token', async () => {
  const folder = await newFolder();
  for (const [index, part] of [TOKEN.slice(0, 20), TOKEN.slice(20)].entries()) {
    await writeFile(join(folder, String(index)), part);
  }
  expect((await scan([folder])).tokens).toEqual([]);
});

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
