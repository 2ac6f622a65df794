import { execFileSync, spawnSync } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import schema from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { latchkey } from '../support/process.js';
import { expectNoTokenIn, folderWith, scanned, tokenOf } from '../support/scan.js';

const TOKEN = tokenOf(1);
const FILES = {
  'a.env': `TOKEN=${TOKEN}\n`,
  'logs.gz': gzipSync(`a\nb ${TOKEN} ${tokenOf(2, 'ses', 'acme')}\n`),
  'b c#.txt': `é ${tokenOf(3, 'ref')}`,
};

/** Gives a command a terminal. */
const canScript = spawnSync('script', ['-qefc', 'true', '/dev/null']).status === 0;

test('what is found is a table, with code 1', async () => {
  const { code, stdout, stderr } = await latchkey(['scan', '.'], { cwd: await folderWith(FILES) });
  expect(stdout.replace(/[0-9a-f]{16}/g, 'f'.repeat(16)).replace(/ in [\d.]+ s.*\)/, ')')).toBe(
    [
      'PLACE         KIND  TOKEN            FINGERPRINT',
      'a.env:1:7     pat   lk_pat_aZ9aZ***  ffffffffffffffff',
      'logs.gz:2:3   pat   lk_pat_aZ9aZ***  ffffffffffffffff',
      'b c#.txt:1:3  ref   lk_ref_aZ9aZ***  ffffffffffffffff',
      'logs.gz:2:47  ses   acme_ses_aZ9***  ffffffffffffffff',
      '',
      '3 tokens in 4 places (3 files, 1 kB)',
      '',
    ].join('\n'),
  );
  expect(stderr).toBe('');
  expect(code).toBe(1);
});

test.each([['--json'], ['--sarif'], ['--no-history']])(
  'scan %s ends with code 2 and a sentence where the output takes nothing',
  async (flag) => {
    const prefix = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
    for (const files of [FILES, { 'a.env': 'nothing' }]) {
      const { code, stderr } = await latchkey(['scan', flag, '.'], { cwd: await folderWith(files), prefix });
      expect(stderr).toBe('latchkey: standard output cannot be written: no space left on device\n');
      expect(code).toBe(2);
    }
  },
);

test('of very many places people see a thousand, and the count', async () => {
  const cwd = await folderWith({ log: `${TOKEN}\n`.repeat(1_500) });
  const { stdout } = await latchkey(['scan', '.'], { cwd });
  expect(stdout.match(/^log:/gm)).toHaveLength(1_000);
  expect(stdout).toMatch(/\n\nand 500 more places, which --json lists\n1 token in 1,500 places \(/);
});

test('a reader that has seen enough is no fault', async () => {
  const cwd = await folderWith({ log: `${TOKEN}\n`.repeat(50_000) });
  const prefix = ['sh', '-c', '"$@" | head -n 1', 'sh'];
  expect(await latchkey(['scan', '--json', '.'], { cwd, prefix })).toEqual({ code: 0, stdout: '{\n', stderr: '' });
});

test('where nothing is found one line says so, with code 0', async () => {
  const { code, stdout, stderr } = await latchkey(['scan', '.'], { cwd: await folderWith({ a: 'x' }) });
  expect(stdout).toMatch(/^no tokens \(1 file, 1 kB in \d\.\d s\)\n$/);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('the local server for tests prints real tokens, which are found', async () => {
  const { stdout } = await latchkey(['scan', 'docs/guide/local-server.md', '--no-history']);
  expect(stdout).toContain('lk_pat_demo0***');
  expect(stdout).toContain('lk_pat_expir***');
});

describe('--sarif', () => {
  test('prints a document that fits its schema and leads to each place', async () => {
    const cwd = await folderWith({ ...FILES, broken: Buffer.from('1f8b0800', 'hex') });
    const { code, stdout, stderr } = await latchkey(['scan', '--sarif', '.'], { cwd });
    const document = JSON.parse(stdout) as { runs: { results: Record<string, unknown>[] }[] };
    // Ajv knows later drafts alone, which differ in nothing that this one uses but its name.
    const rules = { ...schema, id: undefined, $schema: undefined };
    const validate = new Ajv({ strict: false, logger: false, unicodeRegExp: false }).compile(rules);
    validate(document);
    expect(validate.errors).toBeNull();
    expect(document).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'Latchkey', semanticVersion: '0.1.0' } },
          invocations: [{ executionSuccessful: true, toolExecutionNotifications: [{ level: 'warning' }] }],
        },
      ],
    });
    const results = document.runs[0]?.results ?? [];
    expect(results).toHaveLength(4);
    expect(results[0]).toMatchObject({
      ruleId: 'access-token',
      level: 'error',
      message: { text: 'Personal access token lk_pat_aZ9aZ*** at a.env:1:7.' },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'a.env', uriBaseId: '%SRCROOT%' },
            region: { startLine: 1, startColumn: 7, endColumn: 50 },
          },
        },
      ],
      partialFingerprints: { 'latchkeyToken/v1': expect.stringMatching(/^[0-9a-f]{16}$/) as string },
    });
    // Its lines are not those of the file.
    expect(results[1]).toMatchObject({
      locations: [{ physicalLocation: { artifactLocation: { uri: 'logs.gz', uriBaseId: '%SRCROOT%' } } }],
    });
    expect(JSON.stringify(results[1])).not.toContain('region');
    expect(JSON.stringify(results[2])).toContain('"uri":"b%20c%23.txt"');
    expect(stderr).toContain('latchkey: broken: not read to its end: ');
    expectNoTokenIn(stdout + stderr);
    expect(code).toBe(1);
  });

  test('without findings is a document too', async () => {
    const { code, stdout } = await latchkey(['scan', '--sarif', '-'], { input: 'x' });
    expect((JSON.parse(stdout) as { runs: { results: unknown[] }[] }).runs[0]?.results).toEqual([]);
    expect(code).toBe(0);
  });
});

test('--output takes the document, and the terminal gets the summary', async () => {
  const cwd = await folderWith(FILES);
  for (const format of ['--json', '--sarif']) {
    const { code, stdout } = await latchkey(['scan', format, '--output', 'report', 'a.env'], { cwd });
    expect(stdout).toMatch(/^PLACE .*\n.*\n\n1 token in 1 place \(1 file, 1 kB in .*\)\n$/);
    expect(code).toBe(1);
    const text = await readFile(join(cwd, 'report'), 'utf8');
    expect(Object.keys(JSON.parse(text) as object)).toContain(format === '--json' ? 'findings' : 'runs');
    expectNoTokenIn(text + stdout);
  }
});

describe('--allow', () => {
  test('accepts tokens by their fingerprints, which are no part of the token', async () => {
    const cwd = await folderWith(FILES);
    const { findings } = await scanned(['.'], { cwd });
    const fingerprints = [...new Set(findings.map(({ fingerprint }) => fingerprint))];
    for (const fingerprint of fingerprints) expect(TOKEN).not.toContain(fingerprint);
    const [first = '', ...others] = fingerprints;
    const lists = await folderWith({
      one: `# known\n\n  ${first}  # of the tests\r\n`,
      more: others.join('\n'),
    });
    const some = await latchkey(['scan', '.', '--allow', join(lists, 'one')], { cwd });
    expect(some.stdout).toContain('\n2 tokens in 2 places, 1 more allowed (');
    expect(some.code).toBe(1);
    const all = await scanned(['.', '--allow', join(lists, 'one'), '--allow', join(lists, 'more')], { cwd });
    expect(all.summary).toMatchObject({ tokens: 0, allowed: 3 });
    expect(all.code).toBe(0);
  });

  test('refuses anything else, without showing what may be a token', async () => {
    const cwd = await folderWith({ ...FILES, list: `# no fingerprint\n${TOKEN}\n` });
    const { code, stdout, stderr } = await latchkey(['scan', '.', '--allow', 'list'], { cwd });
    expect(stderr).toBe(
      'latchkey: list:2: each line of an allow list must be a fingerprint of 16 hexadecimal digits, or a comment after #\n',
    );
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

test('--brand finds tokens of that brand alone', async () => {
  const cwd = await folderWith(FILES);
  expect((await scanned(['--brand', 'acme', '.'], { cwd })).places).toEqual(['logs.gz:2:47']);
  expect((await scanned(['--brand', 'acme', '--brand', 'lk', '.'], { cwd })).places).toHaveLength(4);
  expect((await scanned(['--brand', 'other', '.'], { cwd })).code).toBe(0);
});

test.each([
  ['no path', [], "missing required argument 'path'"],
  ['an unknown option', ['.', '--all'], "unknown option '--all'"],
  ['a brand that is none', ['.', '--brand', 'Acme'], '--brand must be 1 to 16 lower-case letters and digits'],
  ['a size that is none', ['.', '--max-expanded', 'much'], '--max-expanded must be bytes, or a size such as 500M'],
  ['two formats', ['.', '--json', '--sarif'], "option '--json' cannot be used with option '--sarif'"],
  ['an output without a format', ['.', '--output', 'x'], '--output needs --json or --sarif'],
  ['an output that cannot be written', ['-', '--json', '--output', 'nowhere/x'], 'ENOENT'],
  ['an allow list that is not there', ['.', '--allow', 'nowhere'], 'ENOENT'],
])('%s ends with code 2', async (_, args, message) => {
  const { code, stdout, stderr } = await latchkey(['scan', ...args], { cwd: await folderWith(FILES) });
  expect(stderr).toContain(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

describe.runIf(canScript)('on a terminal', () => {
  /** As a terminal would show it, standard error and output together. */
  async function shown(command: string, env: Record<string, string> = {}) {
    const cwd = await folderWith(FILES);
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const prefix = ['sh', '-c', `script -qefc "'$1' '$2' ${command}" /dev/null`, 'sh'];
    const running = latchkey([], { cwd, prefix, env: { TERM: 'xterm', ...env } });
    return { cwd, running };
  }

  test('tokens are coloured, unless NO_COLOR is set', async () => {
    const coloured = await (await shown('scan a.env')).running;
    expect(coloured.stdout).toContain('\u001B[31mlk_pat_aZ9aZ***\u001B[39m');
    const plain = await (await shown('scan a.env', { NO_COLOR: '1' })).running;
    expect(plain.stdout).toContain('lk_pat_aZ9aZ***');
    expect(plain.stdout).not.toContain('\u001B[');
  });

  test('a bar shows how far it is, but only when it takes longer than a second', async () => {
    const quick = await (await shown('scan .')).running;
    expect(quick.stdout).not.toContain('files [');
    const { cwd, running } = await shown('scan a.env pipe');
    const pipe = await open(join(cwd, 'pipe'), 'w');
    for (let piece = 0; piece < 16; piece++) {
      await pipe.write(piece === 0 ? tokenOf(9) : 'a line\n'.repeat(5_000));
      await sleep(100);
    }
    await pipe.close();
    const { stdout } = await running;
    expect(stdout).toMatch(/\r\u001B\[Kfiles \[=+ *\] +\d+ % {2}\d+ of \d+ MB {2}\d s {2}2 tokens/);
    expectNoTokenIn(stdout);
  });
});
