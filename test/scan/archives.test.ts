import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import zlib, { brotliCompressSync, gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { scan } from '../../scan/index.js';
import { latchkey, newFolder } from '../support/process.js';
import { folderWith, type Scanned, scanned, tokenOf } from '../support/scan.js';
import { zipOf } from '../support/zip.js';

const TOKEN = tokenOf(1);
const LOG = `first line\nsecond ${TOKEN}\n`;

function tarOf(files: Record<string, string | Uint8Array>): Promise<Uint8Array> {
  return packTar(
    Object.entries(files).map(([name, content]) => {
      const body = Buffer.from(content);
      return { header: { name, size: body.length, type: 'file' as const }, body };
    }),
  );
}

/** Scans one file of that name and content. */
async function scanOf(name: string, content: Uint8Array, ...flags: string[]): Promise<Scanned> {
  return await scanned([...flags, name], { cwd: await folderWith({ [name]: content }) });
}

test.each<[string, string, () => Promise<Uint8Array> | Uint8Array, string]>([
  ['gzip', 'app.log.gz', () => gzipSync(LOG), 'app.log.gz'],
  ['gzip by its content', 'app', () => gzipSync(LOG), 'app'],
  ['gzip of several members', 'a.gz', () => Buffer.concat([gzipSync(''), gzipSync(LOG), gzipSync('x')]), 'a.gz'],
  ['brotli', 'app.log.br', () => brotliCompressSync(LOG), 'app.log.br'],
  ['tar', 'logs.tar', () => tarOf({ empty: '', 'app/log.1': LOG }), 'logs.tar!app/log.1'],
  ['tar with long names', 'logs.tar', () => tarOf({ [`${'d/'.repeat(150)}é`]: LOG }), `logs.tar!${'d/'.repeat(150)}é`],
  ['tar.gz', 'logs.tar.gz', async () => gzipSync(await tarOf({ 'app/log.1': LOG })), 'logs.tar.gz!app/log.1'],
  ['zip', 'logs.zip', () => zipOf([{ name: 'app/log.1', content: Buffer.from(LOG) }]), 'logs.zip!app/log.1'],
  [
    'zip behind a program',
    'app.jar',
    () => Buffer.concat([Buffer.from('#!/bin/sh\nexec java\n'), zipOf([{ name: 'x', content: Buffer.from(LOG) }])]),
    'app.jar!x',
  ],
  [
    'zip behind a large program, in gzip',
    'app.gz',
    () => gzipSync(Buffer.concat([Buffer.alloc(400_000, 'PK'), zipOf([{ name: 'x', content: Buffer.from(LOG) }])])),
    'app.gz!x',
  ],
  [
    'zip behind a large program, with a comment and a line behind it',
    'app.run',
    () => {
      const zip = Buffer.from(zipOf([{ name: 'x', content: Buffer.from(LOG) }]));
      zip.writeUInt16LE(60_000, zip.length - 2);
      return Buffer.concat([Buffer.alloc(400_000, 'a'), zip, Buffer.alloc(60_000, 'c'), Buffer.from('\n')]);
    },
    'app.run!x',
  ],
  ['zip, stored', 'a.zip', () => zipOf([{ name: '../é', content: Buffer.from(LOG), method: 0 }]), 'a.zip!../é'],
  [
    'zip in tar.gz in zip',
    'outer.docx',
    async () => {
      const inner = zipOf([{ name: 'x', content: Buffer.from(LOG) }]);
      return zipOf([{ name: 'mid.tgz', content: gzipSync(await tarOf({ 'in.zip': inner })) }]);
    },
    'outer.docx!mid.tgz!in.zip!x',
  ],
  [
    'layers of an image',
    'image.tar',
    async () => tarOf({ 'blobs/sha256/0a': gzipSync(await tarOf({ 'etc/app.env': LOG })) }),
    'image.tar!blobs/sha256/0a!etc/app.env',
  ],
])('%s is opened', async (_, name, make, place) => {
  const { places, stderr, code } = await scanOf(name, await make());
  expect(places).toEqual([`${place}:2:8`]);
  expect(stderr).toBe('');
  expect(code).toBe(1);
});

test('an archive on standard input is opened too', async () => {
  const cwd = await folderWith({ 'a.tar': await tarOf({ log: LOG }) });
  const script = ['sh', '-c', '"$@" < a.tar', 'sh'];
  const { stdout } = await latchkey(['scan', '-'], { cwd, prefix: script });
  expect(stdout).toContain('stdin!log:2:8');
});

test('every member of a large archive is searched once', async () => {
  const filler = Buffer.alloc(700_000, 'some text\n');
  const files = Array.from({ length: 30 }, (_, index): [string, Buffer] => [
    `file-${String(index).padStart(2, '0')}`,
    Buffer.concat([filler, Buffer.from(tokenOf(index))]),
  ]);
  const { places } = await scanOf('a.tgz', gzipSync(await tarOf(Object.fromEntries(files)), { level: 1 }));
  expect(places).toEqual(files.map(([name]) => `a.tgz!${name}:70001:1`));
});

const zstd = (zlib as { zstdCompressSync?: (content: string) => Buffer }).zstdCompressSync ?? (() => Buffer.alloc(0));
const hasZstd = 'zstdCompressSync' in zlib;

describe.runIf(hasZstd)('zstd', () => {
  test('is opened where Node can, frame after frame', async () => {
    const skippable = Buffer.from('502a4d1803000000616263', 'hex');
    const content = Buffer.concat([zstd('first line\n'), zstd(''), skippable, zstd(`second ${TOKEN}`), skippable]);
    const { places, warnings } = await scanOf('app.log.zst', content);
    expect(places).toEqual(['app.log.zst:2:8']);
    expect(warnings).toEqual([]);
  });

  test('of many blocks is searched to its end', async () => {
    const large = 'a line of text\n'.repeat(200_000) + Array.from({ length: 20_000 }, (_, i) => String(i * i)).join();
    const content = zstd(`${large}\n${TOKEN}`);
    expect((await scanOf('a.zst', content)).places).toEqual(['a.zst:200002:1']);
    const { summary, warnings } = await scanOf('a.zst', content.subarray(0, -9));
    expect(warnings[0]?.message).toBe('not read to its end: unexpected end of file');
    expect(summary.complete).toBe(true);
  });
});

describe('what cannot be opened is a warning', () => {
  const known: [string, string][] = [
    ['bzip2', '425a6839314159265359'],
    ['xz', 'fd377a585a000004'],
    ['7z', '377abcaf271c0004'],
    ['rar', '526172211a070100'],
    ['lz4', '04224d186440a7'],
  ];
  if (!hasZstd) known.push(['zstd (Node 22.15 and newer read it)', '28b52ffd2403']);

  test.each(known)('%s', async (name, start) => {
    const { code, warnings } = await scanOf('logs', Buffer.from(start, 'hex'));
    expect(warnings).toEqual([{ place: 'logs', message: `${name} is not read` }]);
    expect(code).toBe(0);
  });

  test('an encrypted member of a zip archive, and one of an unknown method; the others are searched', async () => {
    const content = Buffer.from(LOG);
    const { places, warnings } = await scanOf(
      'a.zip',
      zipOf([
        { name: 'secret', content, encrypted: true },
        { name: 'lzma', content: Buffer.from('x'), method: 14 },
        { name: 'log', content },
      ]),
    );
    expect(warnings).toEqual([
      { place: 'a.zip!secret', message: 'encrypted, and not read' },
      { place: 'a.zip!lzma', message: 'compressed by method 14, and not read' },
    ]);
    expect(places).toEqual(['a.zip!log:2:8']);
  });
});

describe('of a broken archive, what can be read is searched, and a warning says so:', () => {
  const lines = Array.from({ length: 20_000 }, (_, line) => `line ${String(line * 7919)}\n`).join('');

  test('gzip that is cut off', async () => {
    const whole = gzipSync(`${LOG}${lines}`);
    const { places, warnings, code } = await scanOf('a.gz', whole.subarray(0, -20));
    expect(places).toEqual(['a.gz:2:8']);
    expect(warnings).toEqual([{ place: 'a.gz', message: 'not read to its end: unexpected end of file' }]);
    expect(code).toBe(1);
  });

  test('gzip with a wrong byte', async () => {
    const content = gzipSync(`${LOG}${lines}`);
    content[content.length - 6] = (content[content.length - 6] ?? 0) ^ 1;
    const { places, warnings } = await scanOf('a.gz', content);
    expect(places).toEqual(['a.gz:2:8']);
    expect(warnings[0]?.message).toBe('not read to its end: incorrect data check');
  });

  test('Brotli that is cut off', async () => {
    const { places, warnings } = await scanOf('a.br', brotliCompressSync(`${LOG}${lines}`).subarray(0, -9));
    expect(places).toEqual(['a.br:2:8']);
    expect(warnings[0]?.message).toBe('not read to its end: unexpected end of file');
  });

  test.each([
    ['gzip', 'a.gz', gzipSync('a')],
    ['gzip, behind zeros', 'a.gz', Buffer.concat([gzipSync('a'), Buffer.alloc(9)])],
    ['Brotli', 'a.br', brotliCompressSync('a')],
  ])('%s that something else follows', async (_, name, content) => {
    const { findings, warnings } = await scanOf(name, Buffer.concat([content, Buffer.from(LOG)]));
    expect(findings).toHaveLength(1);
    expect(warnings).toEqual([{ place: name, message: expect.stringMatching(/^not read to its end: /) as string }]);
  });

  test('tar that is cut off, or whose header is wrong; the rest is searched as it is', async () => {
    const whole = Buffer.from(await tarOf({ log: LOG, next: lines, last: tokenOf(2) }));
    const cut = await scanOf('a.tar', whole.subarray(0, 2_000));
    expect(cut.places).toContain('a.tar!log:2:8');
    expect(cut.warnings.at(-1)?.message).toContain('not read to its end');
    whole.fill('?', 1_024, 1_100);
    const wrong = await scanOf('a.tar', whole);
    expect(wrong.summary.tokens).toBe(2);
    expect(wrong.places[0]).toBe('a.tar!log:2:8');
    expect(wrong.warnings).toHaveLength(1);
  });

  test('zip without its directory', async () => {
    const whole = zipOf([{ name: 'log', content: Buffer.from(LOG), method: 0 }]);
    const { places, warnings } = await scanOf('a.zip', whole.subarray(0, -30));
    expect(places).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });

  test('a broken member among good ones', async () => {
    const broken = gzipSync(lines).subarray(0, 1_000);
    const files = { 'a.gz': broken, 'b.log': LOG };
    const tar = await scanOf('a.tar', await tarOf(files));
    const zip = await scanOf(
      'a.zip',
      zipOf(Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }))),
    );
    for (const [name, { places, warnings }] of Object.entries({ 'a.tar': tar, 'a.zip': zip })) {
      expect(places).toEqual([`${name}!b.log:2:8`]);
      expect(warnings).toEqual([{ place: `${name}!a.gz`, message: 'not read to its end: unexpected end of file' }]);
    }
  });

  test('any archive with any few bytes changed neither crashes nor hangs the scan', async () => {
    const zip = zipOf([
      { name: 'a', content: Buffer.from(LOG) },
      { name: 'b', content: Buffer.from(lines) },
    ]);
    const tar = Buffer.from(await tarOf({ a: LOG, b: gzipSync(lines) }));
    const files: Record<string, Uint8Array> = {};
    let state = 3;
    const next = (bound: number) => (state = (state * 48_271) % 2_147_483_647) % bound;
    for (const [kind, content] of Object.entries({ zip, tar, tgz: gzipSync(tar) })) {
      for (let round = 0; round < 60; round++) {
        const changed = Buffer.from(content);
        for (let byte = 0; byte < 3; byte++) changed[next(Math.min(changed.length, 4_000))] = next(256);
        files[`${String(round)}.${kind}`] = changed.subarray(0, changed.length - next(2) * next(changed.length));
      }
    }
    const { code } = await scanned(['.'], { cwd: await folderWith(files) });
    expect(code).toBe(1);
  });
});

describe('an archive that expands too far', () => {
  const bomb = gzipSync(Buffer.concat([Buffer.from(LOG), Buffer.alloc(50_000_000)]));

  test.each<[string, () => Promise<Uint8Array> | Uint8Array, string]>([
    ['gzip', () => bomb, 'bomb:2:8'],
    ['gzip in gzip', () => gzipSync(bomb), 'bomb:2:8'],
    ['gzip in tar', () => tarOf({ a: bomb }), 'bomb!a:2:8'],
    ['zip', () => zipOf([{ name: 'a', content: Buffer.concat([Buffer.from(LOG), Buffer.alloc(9e6)]) }]), 'bomb!a:2:8'],
    [
      'zip of many',
      () => zipOf(Array.from({ length: 9 }, (_, name) => ({ name: String(name), content: Buffer.alloc(1e6, LOG) }))),
      'bomb!0:2:8',
    ],
  ])('%s is searched until there, with a warning', async (_, make, place) => {
    const { places, warnings } = await scanOf('bomb', await make(), '--max-expanded', '4M');
    expect(places).toContain(place);
    expect(warnings).toEqual([
      {
        place: 'bomb',
        message: 'not read to its end: it expands to more than 4194304 bytes (--max-expanded)',
      },
    ]);
  });

  test('the bound is of each file that is named, or below a folder', async () => {
    const content = gzipSync(Buffer.concat([Buffer.alloc(3_000_000), Buffer.from(TOKEN)]));
    const cwd = await folderWith({ 'a.gz': content, 'b.gz': content });
    const { places, warnings } = await scanned(['--max-expanded', '4M', '.'], { cwd });
    expect(places).toEqual(['a.gz:1:3000001', 'b.gz:1:3000001']);
    expect(warnings).toEqual([]);
  });

  test('or that is nested too deep is searched until there', async () => {
    let content: Buffer = gzipSync(LOG);
    for (let depth = 1; depth < 8; depth++) content = gzipSync(content);
    expect((await scanOf('deep', content)).places).toEqual(['deep:2:8']);
    const { places, warnings } = await scanOf('deep', gzipSync(content));
    expect(places).toEqual([]);
    expect(warnings).toEqual([{ place: 'deep', message: 'nested more than 8 deep, and not opened' }]);
  });

  test('takes no memory for what it expands to', async () => {
    const cwd = await folderWith({ 'a.gz': gzipSync(Buffer.alloc(600_000_000), { level: 1 }) });
    const before = process.resourceUsage().maxRSS;
    const { bytes } = await scan([join(cwd, 'a.gz')]);
    expect(bytes).toBe(600_000_000);
    // In kilobytes.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200_000);
  });
});

describe('what git has packed is a warning and code 2, where it is not in a repository:', () => {
  async function repository(): Promise<string> {
    const cwd = await newFolder();
    const git = (...args: string[]) => {
      const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
      execFileSync('git', [...identity, ...args], { cwd, stdio: 'pipe' });
    };
    git('init', '--quiet');
    await writeFile(join(cwd, 'old.env'), TOKEN);
    git('add', '--all');
    git('commit', '--quiet', '--message', 'a');
    git('rm', '--quiet', 'old.env');
    git('commit', '--quiet', '--allow-empty', '--message', 'b');
    git('bundle', 'create', '--quiet', 'all.bundle', '--all');
    return cwd;
  }

  /** All files of its git directory, as they would be in an archive. */
  async function filesOf(cwd: string): Promise<Record<string, Uint8Array>> {
    const entries = await readdir(join(cwd, '.git'), { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const files = await Promise.all(paths.map(async (path) => [relative(cwd, path), await readFile(path)] as const));
    return Object.fromEntries(files);
  }

  test('loose objects in a tar.gz and a zip', async () => {
    const files = await filesOf(await repository());
    const zip = zipOf(Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) })));
    for (const [name, content] of [
      ['a.tar.gz', gzipSync(await tarOf(files))],
      ['a.zip', zip],
    ] as const) {
      const { warnings, code, summary } = await scanOf(name, content);
      const message = 'git objects are not read here: unpack the repository and scan that';
      expect(warnings).toEqual([{ place: `${name}!.git/objects`, message }]);
      expect({ code, ...summary }).toMatchObject({ code: 2, tokens: 0, complete: false });
    }
  });

  test('a pack in a tar, and a bundle', async () => {
    const cwd = await repository();
    execFileSync('git', ['gc', '--quiet'], { cwd, stdio: 'pipe' });
    const tar = await scanOf('a.tar', await tarOf(await filesOf(cwd)));
    const place = expect.stringMatching(/^a\.tar!\.git\/objects\/pack\/.*\.pack$/) as string;
    expect(tar.warnings).toEqual([{ place, message: 'a pack of git is not read' }]);
    expect(tar.code).toBe(2);
    const bundle = await scanned(['all.bundle'], { cwd });
    expect(bundle.warnings).toEqual([{ place: 'all.bundle', message: 'a git bundle is not read' }]);
    expect({ code: bundle.code, ...bundle.summary }).toMatchObject({ code: 2, complete: false });
  });
});
