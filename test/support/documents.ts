import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// The documents for users. The tests run the programs and commands in them that a comment such as `<!-- tour -->` marks.

const FOLDERS = ['docs/guide', 'docs/operate'];

export const DOCUMENTS: readonly string[] = [
  'README.md',
  'client/README.md',
  ...FOLDERS.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
];

export function documentsWith(mark: string): string[] {
  return DOCUMENTS.filter((path) => readFileSync(path, 'utf8').includes(`<!-- ${mark} -->`));
}

/** The first block in this language behind the mark, which must be in exactly one document. */
export function blockBehind(mark: string, language: string): string {
  const [path, ...others] = documentsWith(mark);
  if (path === undefined || others.length > 0) throw new TypeError(`not one document has the mark ${mark}`);
  const pattern = new RegExp(`<!-- ${mark} -->\\n+\`\`\`${language}\\n(.*?)\`\`\``, 's');
  const [, block] = pattern.exec(readFileSync(path, 'utf8')) ?? [];
  if (block === undefined) throw new TypeError(`${path} has no block behind the mark ${mark}`);
  return block;
}
