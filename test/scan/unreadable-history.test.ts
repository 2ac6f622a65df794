import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { chown, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { latchkey, newFolder } from '../support/process.js';
import { commit, cwd, ENVIRONMENT, git, gitIn, useRepository } from '../support/repository.js';
import { scanned, tokenOf } from '../support/scan.js';

// Histories that are incomplete, damaged or not readable: the scan says what is missing, and exits with 2 if it found nothing.

const TOKEN = tokenOf(1);

useRepository();

test('a shallow clone says so', async () => {
  const leak = await commit({ 'app.env': TOKEN });
  await commit({ 'app.env': 'x' });
  const last = await commit({ 'b.env': tokenOf(2) });
  const parent = await newFolder();
  gitIn(parent, 'clone', '--quiet', '--depth=1', `file://${cwd}`, 'shallow');
  const { findings, warnings } = await scanned(['.'], { cwd: join(parent, 'shallow') });
  expect(warnings).toEqual([{ place: '.git', message: 'a shallow clone: older commits are missing' }]);
  expect(findings.map(({ commit }) => commit)).toEqual([null, last]);
  expect(leak).not.toBe(last);
});

test('a partial clone says so, and nothing is fetched for it', async () => {
  await commit({ 'old.env': tokenOf(2) });
  await commit({ 'old.env': null, 'app.env': TOKEN, 'sub/b': 'x' });
  git('config', 'uploadpack.allowFilter', 'true');
  for (const filter of ['blob:none', 'tree:0']) {
    const parent = await newFolder();
    gitIn(parent, 'clone', '--quiet', `--filter=${filter}`, `file://${cwd}`, 'partial');
    const clone = join(parent, 'partial');
    const packs = await readdir(join(clone, '.git/objects/pack'));
    const { findings, warnings, code } = await scanned(['.'], { cwd: clone });
    const message = 'a partial clone: objects that were never fetched are missing (to skip the history: --no-history)';
    expect(warnings.at(-1)).toEqual({ place: '.git', message });
    expect(new Set(findings.map(({ masked }) => masked)).size).toBe(1);
    expect(findings.map(({ source }) => source)).toEqual(['file', 'history']);
    expect(await readdir(join(clone, '.git/objects/pack'))).toEqual(packs);
    expect(code).toBe(1);
  }
});

describe('what git does not read is told, with code 2 where nothing was found:', () => {
  test('there is no git', async () => {
    await commit({ 'app.env': 'x' });
    const { code, warnings, summary } = await scanned(['.'], { cwd, env: { PATH: '/nonexistent' } });
    expect(warnings).toEqual([
      {
        place: '.git',
        message: 'git is not installed, but reading the history needs it (to skip the history: --no-history)',
      },
    ]);
    expect(summary.complete).toBe(false);
    expect(code).toBe(2);
    expect((await scanned(['--no-history', '.'], { cwd, env: { PATH: '/nonexistent' } })).code).toBe(0);
  });

  test.runIf(process.getuid?.() === 0)('the repository belongs to another user', async () => {
    await commit({ 'app.env': TOKEN });
    await commit({ 'app.env': null });
    await chown(cwd, 65_534, 65_534);
    await chown(join(cwd, '.git'), 65_534, 65_534);
    const { code, warnings } = await scanned(['.'], { cwd });
    expect(warnings[0]?.message).toMatch(
      /^git does not read a repository of another user; if you trust it: git config --global --add safe\.directory '.*' /,
    );
    expect(code).toBe(2);
  });

  test('an object is damaged', async () => {
    await commit({ 'app.env': TOKEN, 'b.env': 'x' });
    const object = git('rev-parse', 'HEAD:b.env');
    const file = join(cwd, '.git/objects', object.slice(0, 2), object.slice(2));
    await rm(file);
    await writeFile(file, 'damaged');
    await rm(join(cwd, 'app.env'));
    const { findings, warnings, summary } = await scanned(['.'], { cwd });
    const message = 'objects that git cannot read: 1 (to skip the history: --no-history)';
    expect(warnings).toEqual([{ place: '.git', message }]);
    expect(findings).toMatchObject([{ source: 'history', file: 'app.env' }]);
    expect(summary.complete).toBe(false);
  });

  test('a pack is damaged', async () => {
    await commit({ 'app.env': 'x', b: 'y'.repeat(100_000) });
    git('gc', '--quiet');
    const packs = join(cwd, '.git/objects/pack');
    const pack = join(packs, (await readdir(packs)).find((name) => name.endsWith('.pack')) ?? '');
    const content = await readFile(pack);
    await rm(pack);
    await writeFile(pack, content.fill(0xff, 40, content.length - 20));
    const { code, summary } = await scanned(['.'], { cwd });
    expect(summary).toMatchObject({ tokens: 0, complete: false });
    expect(code).toBe(2);
  });

  const NOT_WHOLE = /^the history is incomplete: .* \(to skip the history: --no-history\)$/;

  /** Loose objects alone, so that one can be taken away. */
  function unpack(folder: string): void {
    const packs = join(folder, '.git/objects/pack');
    for (const name of readdirSync(packs)) renameSync(join(packs, name), join(folder, '.git', name));
    for (const name of readdirSync(join(folder, '.git')).filter((each) => each.endsWith('.pack'))) {
      const input = readFileSync(join(folder, '.git', name));
      execFileSync('git', ['unpack-objects', '-q'], { cwd: folder, env: ENVIRONMENT, input });
    }
    for (const name of readdirSync(join(folder, '.git')).filter((each) => each.startsWith('pack-'))) {
      rmSync(join(folder, '.git', name), { force: true });
    }
  }

  const loseObject = (folder: string, object: string) =>
    rm(join(folder, '.git/objects', object.slice(0, 2), object.slice(2)));

  async function packOf(folder: string, ending: string): Promise<string> {
    const packs = join(folder, '.git/objects/pack');
    return join(packs, (await readdir(packs)).find((name) => name.endsWith(ending)) ?? '');
  }

  test.each<[string, (clone: string, base: string) => Promise<unknown>, string[]?]>([
    ['the base of a shared clone has moved', (_, base) => rename(base, `${base}-moved`), ['--shared']],
    ['a blob is gone', (clone) => loseObject(clone, gitIn(clone, 'rev-parse', 'HEAD~1:app.env'))],
    ['a commit is gone', (clone) => loseObject(clone, gitIn(clone, 'rev-parse', 'HEAD~1'))],
    [
      'a commit is gone behind a graft',
      async (clone) => {
        await loseObject(clone, gitIn(clone, 'rev-parse', 'HEAD~1'));
        await mkdir(join(clone, '.git/info'), { recursive: true });
        await writeFile(join(clone, '.git/info/grafts'), `${gitIn(clone, 'rev-parse', 'HEAD')}\n`);
      },
    ],
    [
      'a pack has lost its index',
      async (clone) => {
        gitIn(clone, 'gc', '--quiet');
        await rm(await packOf(clone, '.idx'));
      },
    ],
    [
      'an index has lost its pack',
      async (clone) => {
        gitIn(clone, 'gc', '--quiet');
        await rm(await packOf(clone, '.pack'));
      },
    ],
    [
      'a blob of another work tree is gone',
      async (clone) => {
        gitIn(clone, 'worktree', 'add', '--quiet', '--detach', '../other');
        await writeFile(join(clone, '../other/app.env'), 'z');
        gitIn(join(clone, '../other'), 'add', '--all');
        gitIn(join(clone, '../other'), 'commit', '--quiet', '--message', 'z');
        await loseObject(clone, gitIn(join(clone, '../other'), 'rev-parse', 'HEAD:app.env'));
      },
    ],
  ])('%s', async (_, damage, flags = []) => {
    await commit({ 'app.env': 'x' });
    await commit({ 'app.env': 'y' });
    const parent = await newFolder();
    const base = join(parent, 'base');
    gitIn(parent, 'clone', '--quiet', '--no-local', cwd, 'base');
    gitIn(parent, 'clone', '--quiet', ...(flags.length === 0 ? ['--no-local'] : flags), base, 'clone');
    const clone = join(parent, 'clone');
    if (flags.length === 0) unpack(clone);
    expect(await scanned(['.'], { cwd: clone, env: ENVIRONMENT })).toMatchObject({ code: 0, warnings: [] });
    await damage(clone, base);
    const { code, warnings, summary } = await scanned(['.'], { cwd: clone, env: ENVIRONMENT });
    expect(warnings).toEqual([{ place: '.git', message: expect.stringMatching(NOT_WHOLE) as string }]);
    expect({ code, ...summary }).toMatchObject({ code: 2, tokens: 0, complete: false });
  });

  test('the git directory is no longer one', async () => {
    await commit({ 'app.env': 'x' });
    await rm(join(cwd, '.git/HEAD'));
    expect((await scanned(['.'], { cwd, env: ENVIRONMENT })).code).toBe(2);
    const outer = await newFolder();
    gitIn(outer, 'init', '--quiet');
    await cp(cwd, join(outer, 'inner'), { recursive: true });
    const { code, warnings } = await scanned(['inner'], { cwd: outer, env: ENVIRONMENT });
    expect(warnings).toMatchObject([
      { place: 'inner/.git', message: expect.stringContaining('git does not recognise it') as string },
    ]);
    expect(code).toBe(2);
  });

  test('the work tree of a repository that has moved, with --history', async () => {
    await commit({ 'app.env': 'x' });
    const parent = await newFolder();
    gitIn(parent, 'clone', '--quiet', cwd, 'clone');
    gitIn(join(parent, 'clone'), 'worktree', 'add', '--quiet', '--detach', '../other');
    await rename(join(parent, 'clone'), join(parent, 'moved'));
    const { code, stderr } = await latchkey(['scan', '--history', 'other'], { cwd: parent, env: ENVIRONMENT });
    expect(stderr).toContain('not a git repository: ');
    expect(code).toBe(2);
  });
});
