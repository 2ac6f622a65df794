import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { createAccessToken } from '../generated/index.js';
import { blockBehind, DOCUMENTS, documentsWith } from './support/documents.js';
import { ANY_UUID } from './support/matchers.js';
import { latchkey, newFolder } from './support/process.js';
import { ADMIN, answered, startService } from './support/service.js';
import { shapeOf } from './support/shape.js';

const BREAK = '--- next block ---';

test.each(documentsWith('tour'))("%s's tour works in a shell and prints what it says", async (path) => {
  const { url } = await startService();
  const own = tourOf(path);
  // Each page goes on from where the README's tour has logged in.
  const blocks = path === 'README.md' ? own : [...tourOf('README.md').slice(0, 2), ...own];
  const commands = blocks.filter(({ language }) => language === 'sh');
  const outputs = blocks.filter(({ language }) => language !== 'sh');
  expect(commands.length).toBeGreaterThan(2);
  expect(outputs).toHaveLength(commands.length);

  const script = commands.map(({ text }) => `${text}\necho '${BREAK}'`).join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euc', script.replace('http://127.0.0.1:8080', url)]);
  const pieces = stdout.split(BREAK);
  for (const piece of pieces) expect(piece.endsWith('\n'), piece).toBe(true);
  const printed = pieces.map((text) => text.trim());

  for (const [index, { language, text }] of outputs.entries()) {
    if (language === 'json') expect(shapeOf(JSON.parse(printed[index] ?? ''))).toEqual(shapeOf(JSON.parse(text)));
    else if (language === 'uuid') expect(printed[index]).toEqual(ANY_UUID);
    else expect(printed[index]).toBe(text.trim());
  }
});

test('the commands of the guide print what it says, as on a terminal', async () => {
  const { url } = await startService({ now: Date.now });
  const folder = await folderWithCommand();
  const config = { LATCHKEY_CONFIG: folder };
  const login = ['login', '--url', url, '--email', ADMIN.email, '--password-stdin'];
  expect(await latchkey(login, { input: ADMIN.password, env: config })).toMatchObject({ code: 0 });

  const { shown, printed } = await runShown('command', folder, { ...config, FORCE_COLOR: '1' });
  expect(maskRandom(printed)).toBe(maskRandom(shown));
});

test('the backup of the guide is made and restored as it says', async () => {
  const folder = await folderWithCommand();
  const service = await startService({ database: join(folder, 'latchkey.db') });
  const { client } = await service.admin();
  await answered(createAccessToken({ client, body: { name: 'kept' } }));
  const { shown, printed } = await runShown('backup', folder);
  expect(maskFigures(printed)).toBe(maskFigures(shown));
  await service.stop();
  const stopped = await runShown('restore', folder);
  expect(maskFigures(stopped.printed)).toBe(maskFigures(stopped.shown));
});

test.each([...DOCUMENTS, 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...decisions(), ...examples()])(
  'every link of %s leads somewhere',
  async (path) => {
    const text = (await readFile(path, 'utf8')).replaceAll(/```.*?```/gs, '');
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = '', heading] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      expect(existsSync(target), `${path}: ${link}`).toBe(true);
      if (heading !== undefined) expect(headingsOf(target), `${path}: ${link}`).toContain(heading);
    }
  },
);

test("the README's picture is what the command prints", async () => {
  const drawn = join(await newFolder(), 'tokens.svg');
  await promisify(execFile)(process.execPath, ['scripts/picture.mjs', drawn]);
  expect(await readFile(drawn, 'utf8')).toBe(await readFile('docs/images/tokens.svg', 'utf8'));
});

function decisions(): string[] {
  return readdirSync('docs/decisions').map((name) => join('docs/decisions', name));
}

function examples(): string[] {
  return readdirSync('examples').map((name) => join('examples', name, 'README.md'));
}

/** As the anchors that are made of them. */
function headingsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function tourOf(path: string): { language: string | undefined; text: string }[] {
  const tours = [...readFileSync(path, 'utf8').matchAll(/<!-- tour -->(.*?)<!-- \/tour -->/gs)];
  const tour = tours.map(([text]) => text).join('\n');
  return [...tour.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, text = '']) => ({ language, text }));
}

/** A folder with a command `latchkey` in it. */
async function folderWithCommand(): Promise<string> {
  const folder = await newFolder();
  const command = join(folder, 'latchkey');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/cli/main.js')}' "$@"\n`);
  await chmod(command, 0o755);
  return folder;
}

/** Runs the commands of the block behind the mark, and gives it beside what is printed, without colours. */
async function runShown(mark: string, folder: string, more: Record<string, string> = {}) {
  const shown = blockBehind(mark, 'text');
  const commands = shown.split('\n').filter((line) => line.startsWith('$ '));
  expect(commands.length).toBeGreaterThan(1);
  const env = { ...more, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  const script = commands.map((line) => `echo ${quoted(line)}\n${line.slice(2)} || true`).join('\n');
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-uc', `exec 2>&1\n${script}`], { env, cwd: folder });
  return { shown, printed: stripVTControlCharacters(stdout) };
}

/** Sizes, times and the newest migration. */
function maskFigures(text: string): string {
  return text
    .replace(/\d+ kB/g, 'SIZE')
    .replace(/\d+\.\d s/g, 'TIME')
    .replace(/\d{4}-[a-z-]+/g, 'SCHEMA');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Ids, tokens and the time differ from run to run. */
function maskRandom(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
    .replace(/lk_pat_\w+/g, 'lk_pat_...')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT');
}
