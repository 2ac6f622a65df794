import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { chown, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { latchkey, newFolder } from '../support/process.js';
import { scanned, tokenOf } from '../support/scan.js';

const TOKEN = tokenOf(1);

/** Nothing of this machine's own configuration. */
const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((role) => [
      [`GIT_${role}_NAME`, 'Ada'],
      [`GIT_${role}_EMAIL`, 'ada@example.org'],
      [`GIT_${role}_DATE`, '2026-11-22T12:00:00Z'],
    ]),
  ),
};

let cwd: string;

beforeEach(async () => {
  cwd = await newFolder();
  git('init', '--quiet', '--initial-branch=main');
});

function git(...args: string[]): string {
  return gitIn(cwd, ...args);
}

function gitIn(folder: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: folder, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' }).trim();
}

/** Commits these files, `null` for one that is gone, and gives the commit. */
async function commit(files: Record<string, string | Uint8Array | null>, message = 'Change it'): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(cwd, dirname(name)), { recursive: true });
    await (content === null ? rm(join(cwd, name)) : writeFile(join(cwd, name), content));
  }
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message', message);
  return git('rev-parse', 'HEAD');
}

/** What is found in the history, as `file:line:column commit`. */
async function historyIn(args = ['.'], options: Parameters<typeof scanned>[1] = {}): Promise<string[]> {
  const { findings, code, stderr } = await scanned(args, { cwd, ...options });
  expect(stderr).toBe('');
  expect(code).toBe(findings.length === 0 ? 0 : 1);
  return findings
    .filter(({ source }) => source === 'history')
    .map(({ file, line, column, commit }) => `${file}:${String(line)}:${String(column)} ${commit ?? 'none'}`);
}

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
