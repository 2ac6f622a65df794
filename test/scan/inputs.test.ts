import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { latchkey, newFolder } from '../support/process.js';
import { folderWith, scanned, tokenOf } from '../support/scan.js';

const TOKEN = tokenOf(1);

test('files and folders are searched in the order of their names, each place is listed, and tokens are counted once', async () => {
  const cwd = await folderWith({ 'b.env': `TOKEN=${TOKEN}\n`, 'a.log': `one\r\ntwo ${TOKEN}\r\n${tokenOf(2)}` });
  await mkdir(join(cwd, 'deep/er'), { recursive: true });
  await writeFile(join(cwd, 'deep/er/.hidden'), TOKEN);
  const { places, summary, findings, code } = await scanned(['.'], { cwd });
  expect(places.sort()).toEqual(['a.log:2:5', 'a.log:3:1', 'b.env:1:7', 'deep/er/.hidden:1:1']);
  expect(summary).toMatchObject({ tokens: 2, places: 4, complete: true });
  expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(findings[0]).toMatchObject({ source: 'file', kind: 'pat', brand: 'lk', commit: null, offset: 9 });
  expect(code).toBe(1);
});

test('what is named twice is searched once', async () => {
  const cwd = await folderWith({ 'a.env': TOKEN });
  expect((await scanned(['.', 'a.env', './a.env', './'], { cwd })).places).toEqual(['a.env:1:1']);
});

test('a single file, a path with a slash at its end, and an absolute path are shown as they were named', async () => {
  const cwd = await folderWith({ 'a.env': TOKEN });
  await mkdir(join(cwd, 'sub'));
  await writeFile(join(cwd, 'sub/-x'), TOKEN);
  expect((await scanned(['a.env'], { cwd })).places).toEqual(['a.env:1:1']);
  expect((await scanned(['sub/'], { cwd })).places).toEqual(['sub/-x:1:1']);
  expect((await scanned([join(cwd, 'sub')])).places).toEqual([`${join(cwd, 'sub/-x')}:1:1`]);
  expect((await scanned(['--', '-x'], { cwd: join(cwd, 'sub') })).places).toEqual(['-x:1:1']);
});

test('an empty folder and an empty file hold nothing', async () => {
  const cwd = await folderWith({ empty: '' });
  const { code, summary } = await scanned(['.', 'empty'], { cwd });
  expect(summary).toMatchObject({ tokens: 0, complete: true });
  expect(code).toBe(0);
});

test('standard input is -', async () => {
  expect((await scanned(['-'], { input: `a\nb ${TOKEN}` })).places).toEqual(['stdin:2:3']);
  expect((await scanned(['-'], { input: '' })).code).toBe(0);
});

test.skipIf(process.platform === 'win32')('a named pipe is read as it comes', async () => {
  const cwd = await newFolder();
  execFileSync('mkfifo', [join(cwd, 'pipe')]);
  const scanning = scanned(['pipe'], { cwd });
  const pipe = await open(join(cwd, 'pipe'), 'w');
  for (const piece of ['\n', TOKEN.slice(0, 9), TOKEN.slice(9, 30), TOKEN.slice(30)]) {
    await pipe.write(piece);
    await sleep(20);
  }
  await pipe.close();
  expect((await scanning).places).toEqual(['pipe:2:1']);
});

test('pipes and links in a folder are left alone', async () => {
  const outside = await folderWith({ secret: TOKEN });
  const cwd = await folderWith({ 'a.env': tokenOf(2) });
  await symlink(outside, join(cwd, 'folder'));
  await symlink(join(outside, 'secret'), join(cwd, 'file'));
  await symlink('.', join(cwd, 'loop'));
  await symlink('nowhere', join(cwd, 'dangling'));
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(cwd, 'pipe')]);
  const { places, stderr } = await scanned(['.'], { cwd });
  expect(places).toEqual(['a.env:1:1']);
  expect(stderr).toBe('');
});

test('a link that is named is followed', async () => {
  const outside = await folderWith({ secret: TOKEN });
  const cwd = await newFolder();
  await symlink(outside, join(cwd, 'folder'));
  expect((await scanned(['folder'], { cwd })).places).toEqual(['folder/secret:1:1']);
});

test("a database's tokens are found, though its columns stand side by side", async () => {
  const cwd = await newFolder();
  const database = new Database(join(cwd, 'app.db'));
  database.exec('CREATE TABLE secrets (owner TEXT, token TEXT, note TEXT)');
  const insert = database.prepare('INSERT INTO secrets VALUES (?, ?, ?)');
  for (let number = 0; number < 500; number++) insert.run('ada', tokenOf(number), 'deploy bot');
  database.close();
  expect((await readFile(join(cwd, 'app.db'))).includes(`ada${tokenOf(1)}deploy bot`)).toBe(true);
  const { summary } = await scanned(['.'], { cwd });
  expect(summary.tokens).toBe(500);
});

describe('names', () => {
  test('that are no valid UTF-8 are opened all the same', async () => {
    const cwd = await newFolder();
    await writeFile(Buffer.concat([Buffer.from(`${cwd}/`), Buffer.from([0x66, 0xfc, 0x72])]), TOKEN);
    expect((await scanned(['.'], { cwd })).places).toEqual(['f\uFFFDr:1:1']);
  });

  test('that hold a token are masked', async () => {
    const cwd = await folderWith({
      [`${TOKEN}.json`]: `{"data": "${TOKEN}"}`,
      [`${TOKEN}.gz`]: Buffer.from('1f8b0800', 'hex'),
    });
    const { places, warnings } = await scanned(['.'], { cwd });
    expect(places).toEqual([`${TOKEN.slice(0, 12)}***.json:1:11`]);
    expect(warnings.map(({ place }) => place)).toEqual([`${TOKEN.slice(0, 12)}***.gz`]);
  });

  test('that would move the cursor or turn the text are shown without that', async () => {
    const cwd = await folderWith({ 'a\u001B[2Jb\n\u202Ec': TOKEN });
    const { stdout } = await latchkey(['scan', '.'], { cwd });
    expect(stdout).toContain('a\uFFFD[2Jb\uFFFD\uFFFDc:1:1');
  });
});

test('one token a hundred thousand times is listed so often, and counted beyond', async () => {
  const cwd = await folderWith({ log: `${TOKEN}\n`.repeat(100_010) });
  const { summary } = await scanned(['log'], { cwd });
  expect(summary).toMatchObject({ tokens: 1, places: 100_000, unlistedPlaces: 10 });
});

describe('what cannot be read', () => {
  // As root one may read everything, so the command is somebody else.
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

  async function lockedFolder(): Promise<string> {
    const cwd = await folderWith({ 'a.env': TOKEN, locked: TOKEN });
    await mkdir(join(cwd, 'private'));
    for (const name of ['locked', 'private']) await chmod(join(cwd, name), 0);
    await chmod(cwd, 0o755);
    return cwd;
  }

  test('below a folder is a warning', async () => {
    const cwd = await lockedFolder();
    const { places, warnings, code, stderr } = await scanned(['.'], { cwd, prefix });
    expect(places).toEqual(['a.env:1:1']);
    expect(warnings.map(({ place }) => place).sort()).toEqual(['locked', 'private']);
    expect(stderr).toContain('latchkey: locked: EACCES: permission denied');
    expect(code).toBe(1);
  });

  test('is code 2 where it is everything', async () => {
    const cwd = await lockedFolder();
    await chmod(join(cwd, 'a.env'), 0);
    const { summary, code } = await scanned(['.'], { cwd, prefix });
    expect(summary).toMatchObject({ tokens: 0, complete: false });
    expect(code).toBe(2);
  });

  test.each([
    ['is not there', 'nowhere', 'ENOENT'],
    ['is locked', 'locked', 'EACCES'],
  ])('and %s ends with code 2 where it was named, and the others are searched', async (_, name, why) => {
    const cwd = await lockedFolder();
    if (isRoot) await chown(join(cwd, 'locked'), 0, 0);
    const { code, places, stderr, summary } = await scanned([name, 'a.env'], { cwd, prefix });
    expect(stderr).toContain(`latchkey: ${name}: cannot be read: ${why}`);
    expect(places).toEqual(['a.env:1:1']);
    expect(summary.complete).toBe(false);
    expect(code).toBe(2);
    const alone = await latchkey(['scan', name], { cwd, prefix });
    expect(alone.stderr).toContain(`latchkey: ${name} cannot be read: ${why}`);
    expect(alone).toMatchObject({ code: 2, stdout: '' });
  });
});
