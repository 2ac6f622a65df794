import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { newFolder } from '../support/process.js';
import { commit, cwd, git, gitIn, historyIn, useRepository } from '../support/repository.js';
import { scanned, tokenOf } from '../support/scan.js';

// Tokens in the history of a git repository, and which histories are searched.

const TOKEN = tokenOf(1);

useRepository();

test('a token that was deleted is found with the commit that brought it', async () => {
  await commit({ 'a.txt': 'nothing\n' });
  const leak = await commit({ 'config/app.env': `HOST=x\nTOKEN=${TOKEN}\n` });
  await commit({ 'config/app.env': null });
  const { findings, code } = await scanned(['.'], { cwd });
  expect(findings).toMatchObject([
    { source: 'history', file: 'config/app.env', line: 2, column: 7, offset: 13, commit: leak, versions: 1 },
  ]);
  expect(code).toBe(1);
});

test('packed objects are searched too, and only once', async () => {
  const leak = await commit({ 'app.env': TOKEN });
  await commit({ 'app.env': null });
  git('gc', '--quiet', '--aggressive');
  expect(await historyIn()).toEqual([`app.env:1:1 ${leak}`]);
});

test('of many versions of a file the first is told, and how many there are', async () => {
  await commit({ 'app.env': 'A=1\n' });
  const leak = await commit({ 'app.env': `A=1\nT=${TOKEN}\n` });
  for (let version = 0; version < 5; version++) await commit({ 'app.env': `B=${String(version)}\nA=1\nT=${TOKEN}\n` });
  const { findings } = await scanned(['.'], { cwd });
  expect(findings).toMatchObject([
    { source: 'file', file: 'app.env', line: 3, commit: null, versions: null },
    { source: 'history', file: 'app.env', line: 2, commit: leak, versions: 6 },
  ]);
});

test('a token is told once for each file that it was in', async () => {
  const first = await commit({ 'a.env': `${TOKEN}\n` });
  const second = await commit({ 'a.env': null, 'b.env': `moved\n${TOKEN}\n` });
  await commit({ 'b.env': null });
  expect(await historyIn()).toEqual([`a.env:1:1 ${first}`, `b.env:2:1 ${second}`]);
});

test('branches, tags and stashes are searched, and what only a merge brought', async () => {
  await commit({ 'a.env': '1\n2\n3\n' });
  git('checkout', '--quiet', '-b', 'side');
  const side = await commit({ 'side.env': tokenOf(2) });
  git('checkout', '--quiet', 'main');
  const other = await commit({ 'main.env': 'x' });
  git('merge', '--quiet', '--no-commit', '--no-ff', 'side');
  const merge = await commit({ 'merge.env': tokenOf(3), 'side.env': null });
  git('branch', '-D', 'side');
  git('checkout', '--quiet', '--detach');
  const tagged = await commit({ 'tagged.env': tokenOf(4) });
  git('tag', '-a', 'v1', '-m', `with ${tokenOf(5)}`);
  git('checkout', '--quiet', other);
  await writeFile(join(cwd, 'main.env'), tokenOf(6));
  git('stash', '--quiet');
  const tag = git('rev-parse', 'refs/tags/v1').slice(0, 12);
  const found = await historyIn();
  expect(found).toHaveLength(5);
  expect(found).toEqual(
    expect.arrayContaining([
      `side.env:1:1 ${side}`,
      `merge.env:1:1 ${merge}`,
      `tagged.env:1:1 ${tagged}`,
      `.git!tag ${tag}:6:6 none`,
      expect.stringMatching(/^main\.env:1:1 [0-9a-f]{40}$/),
    ]),
  );
});

test('a commit message is searched, and what no commit holds any more', async () => {
  const leak = await commit({ a: '1' }, `Use ${TOKEN}`);
  await writeFile(join(cwd, 'staged.env'), tokenOf(2));
  git('add', '--all');
  const blob = git('rev-parse', ':staged.env').slice(0, 12);
  await rm(join(cwd, 'staged.env'));
  const { findings } = await scanned(['.'], { cwd });
  const history = findings.filter(({ source }) => source === 'history');
  expect(history.map(({ file, commit }) => [file, commit]).sort()).toEqual([
    [`.git!blob ${blob}`, null],
    [`.git!commit ${leak.slice(0, 12)}`, leak],
  ]);
});

test('an archive in the history is opened', async () => {
  const leak = await commit({ 'logs.gz': gzipSync(`a\nb ${TOKEN}`), 'empty.gz': gzipSync('') });
  await commit({ 'logs.gz': null });
  expect(await historyIn()).toEqual([`logs.gz:2:3 ${leak}`]);
});

test('names are those of git, whatever is in them', async () => {
  const leak = await commit({ '-rf "ü"\n\t$(x)': TOKEN });
  await commit({ '-rf "ü"\n\t$(x)': null });
  expect(await historyIn()).toEqual([`-rf "ü"\n\t$(x):1:1 ${leak}`]);
});

test('a repository with many objects is read by several processes, each object once', async () => {
  for (let part = 0; part < 3; part++) {
    const files: Record<string, string> = { [`${String(part)}.env`]: tokenOf(part), large: 'x'.repeat(3e6 + part) };
    for (let file = 0; file < 4_000; file++)
      files[`${String(part)}/${String(file)}`] = `${String(part)} ${String(file)}\n`;
    await commit(files);
  }
  await commit({ '0.env': null, '1.env': null, '2.env': null });
  const { findings } = await scanned(['.'], { cwd });
  expect(findings.map(({ file }) => file).sort()).toEqual(['0.env', '1.env', '2.env']);
}, 60_000);

describe('which histories are searched:', () => {
  let leak: string;

  beforeEach(async () => {
    leak = await commit({ 'sub/app.env': TOKEN, 'sub/b.txt': 'x' });
    await commit({ 'sub/app.env': null });
  });

  test('that of the folder above is not, unless it is asked for', async () => {
    expect(await historyIn(['sub'])).toEqual([]);
    expect(await historyIn(['sub/b.txt'])).toEqual([]);
    expect(await historyIn(['--history', 'sub'])).toEqual([`sub/app.env:1:1 ${leak}`]);
    expect(await historyIn(['--history', 'sub/b.txt'])).toEqual([`sub/app.env:1:1 ${leak}`]);
    expect(await historyIn(['--history', '.', 'sub'])).toEqual([`sub/app.env:1:1 ${leak}`]);
    expect(await historyIn(['--history', '.'], { cwd: join(cwd, 'sub') })).toEqual([`../sub/app.env:1:1 ${leak}`]);
  });

  test('none is with --no-history', async () => {
    expect(await historyIn(['--no-history', '.'])).toEqual([]);
  });

  test('that of each repository below is', async () => {
    const parent = await newFolder();
    await rename(cwd, join(parent, 'clone'));
    gitIn(parent, 'clone', '--quiet', '--bare', 'clone', 'bare.git');
    expect((await historyIn(['.'], { cwd: parent })).sort()).toEqual([
      `bare.git!sub/app.env:1:1 ${leak}`,
      `clone/sub/app.env:1:1 ${leak}`,
    ]);
    await rename(join(parent, 'clone'), cwd);
  });

  test('that of a bare repository is, and of the one that a linked work tree is of', async () => {
    const parent = await newFolder();
    git('worktree', 'add', '--quiet', join(parent, 'linked'));
    expect(await historyIn(['.'], { cwd: join(parent, 'linked') })).toEqual([]);
    expect(await historyIn(['--history', '.'], { cwd: join(parent, 'linked') })).toEqual([`sub/app.env:1:1 ${leak}`]);
    gitIn(parent, 'clone', '--quiet', '--bare', cwd, 'bare.git');
    expect(await historyIn(['.'], { cwd: join(parent, 'bare.git') })).toEqual([`.!sub/app.env:1:1 ${leak}`]);
  });

  test('with --history and no repository at all, there is nothing to search', async () => {
    const folder = await newFolder();
    expect(await historyIn(['--history', '.'], { cwd: folder })).toEqual([]);
  });

  test('an empty one is none', async () => {
    const folder = await newFolder();
    gitIn(folder, 'init', '--quiet');
    expect(await historyIn(['.'], { cwd: folder })).toEqual([]);
  });
});

test("git's own files are searched but for its objects, since a token may stand in a remote's address", async () => {
  await commit({ a: '1' });
  git('remote', 'add', 'origin', `https://ada:${TOKEN}@git.example.org/a.git`);
  const { places, findings } = await scanned(['.'], { cwd });
  expect(places).toEqual([expect.stringMatching(/^\.git\/config:\d+:\d+$/)]);
  expect(findings[0]?.source).toBe('file');
});

test("a repository's configuration runs nothing", async () => {
  await commit({ 'app.env': TOKEN });
  await commit({ 'app.env': null });
  const script = join(cwd, '.git/run');
  const trace = join(cwd, '.git/ran');
  await writeFile(script, `#!/bin/sh\ntouch '${trace}'\ncat\n`, { mode: 0o755 });
  await writeFile(join(cwd, '.git/info/attributes'), '* diff=run filter=run\n');
  const settings = [
    'core.pager',
    'core.fsmonitor',
    'core.sshCommand',
    'gpg.program',
    'diff.external',
    'diff.run.textconv',
  ];
  for (const name of [...settings, 'diff.run.command', 'filter.run.clean', 'filter.run.smudge', 'pager.rev-list']) {
    git('config', name, script);
  }
  git('config', 'log.showSignature', 'true');
  expect((await scanned(['.', '--history'], { cwd })).code).toBe(1);
  expect(await readdir(join(cwd, '.git'))).not.toContain('ran');
});

test('a hook of another repository does not lead it astray', async () => {
  const leak = await commit({ 'app.env': TOKEN });
  await commit({ 'app.env': null });
  const env = { GIT_DIR: '/nonexistent', GIT_WORK_TREE: '/nonexistent', GIT_INDEX_FILE: '/nonexistent' };
  expect(await historyIn(['.'], { env })).toEqual([`app.env:1:1 ${leak}`]);
  expect(await historyIn(['--history', '.'], { env })).toEqual([`app.env:1:1 ${leak}`]);
});
