import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closureOf, copyPackages, packBoth, unpack } from './support/packed.js';

const require_ = createRequire(import.meta.url);

/** Each entry that has types, and the packages that a consumer installs for it beside ours. */
const ENTRIES: Record<string, string[]> = {
  latchkey: [],
  'latchkey/server': ['@types/node'],
  'latchkey/contract': [],
  'latchkey/contract/vitest': ['vitest', '@types/node'],
  'latchkey/vitest': ['vitest', '@types/node'],
  '@latchkey/client': [],
  '@latchkey/client/middleware': [],
  '@latchkey/client/express': ['express', '@types/express'],
  '@latchkey/client/fastify': ['fastify'],
  '@latchkey/client/hono': ['hono'],
  '@latchkey/client/koa': ['koa', '@types/koa'],
  '@latchkey/client/node': ['@types/node'],
};

const MODULES = {
  nodenext: { module: 'NodeNext', moduleResolution: 'NodeNext' },
  node16: { module: 'Node16', moduleResolution: 'Node16' },
  bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
} as const;
type Mode = keyof typeof MODULES;

let folder: string;
/** Has both packages and nothing else. */
let bare: string;
/** Has the frameworks and the types of Node, too. */
let furnished: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-declarations-'));
  const tarballs = await packBoth(folder);
  [bare, furnished] = [join(folder, 'bare'), join(folder, 'furnished')];
  for (const project of [bare, furnished]) {
    await mkdir(project);
    await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await unpack(tarballs.server, project, 'latchkey');
    await unpack(tarballs.client, project, '@latchkey/client');
  }
  await copyPackages(await closureOf(Object.values(ENTRIES).flat()), furnished);
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('every entry that has types is listed here', async () => {
  const entries: string[] = [];
  for (const path of ['package.json', 'client/package.json']) {
    const { name, exports } = JSON.parse(await readFile(path, 'utf8')) as { name: string; exports: object };
    for (const [entry, target] of Object.entries(exports)) {
      if (typeof target === 'object') entries.push(join(name, entry));
    }
  }
  expect(Object.keys(ENTRIES).sort()).toEqual(entries.sort());
});

test.each(Object.entries(ENTRIES))(
  '%s reaches no types but its own and those that it asks for',
  async (entry, asked) => {
    const files = programOf(ts, furnished, 'nodenext', [entry]).getSourceFiles();
    const reached = new Set(files.map(({ fileName }) => packageOf(fileName)).filter((name) => name !== undefined));
    reached.delete('typescript');
    const own = ['latchkey', '@latchkey/client'].filter((name) => `${entry}/`.startsWith(`${name}/`));
    expect([...reached]).toEqual(expect.arrayContaining(own));
    const allowed = new Set([...own, ...(await closureOf(asked)), ...(await closureOf(['@types/node']))]);
    if (asked.length === 0) expect([...reached]).toEqual(own);
    expect([...reached].filter((name) => !allowed.has(name))).toEqual([]);
  },
);

const ROWS = ['6.', '5.9.'].flatMap((version) => Object.keys(MODULES).map((mode) => [mode as Mode, version] as const));

test.each(ROWS)('every entry compiles under strict %s of TypeScript %s', { timeout: 60_000 }, (mode, version) => {
  const compiler = version === '6.' ? ts : (require_('typescript-5.9') as typeof ts);
  expect(compiler.version.slice(0, version.length)).toBe(version);
  const forAll = Object.keys(ENTRIES).filter((entry) => ENTRIES[entry]?.length === 0);
  expect(faultsOf(compiler, programOf(compiler, bare, mode, forAll))).toEqual([]);
  expect(faultsOf(compiler, programOf(compiler, furnished, mode, Object.keys(ENTRIES)))).toEqual([]);
});

/** A program that uses these entries, with no types of Node unless they ask for them. */
function programOf(compiler: typeof ts, project: string, mode: Mode, entries: string[]): ts.Program {
  const { module, moduleResolution } = MODULES[mode];
  const options: ts.CompilerOptions = {
    module: compiler.ModuleKind[module],
    moduleResolution: compiler.ModuleResolutionKind[moduleResolution],
    target: compiler.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: [],
  };
  const program = join(project, 'program.ts');
  const text = entries.map((entry, index) => `export * as entry${String(index)} from '${entry}';\n`).join('');
  const host = compiler.createCompilerHost(options);
  const read = host.readFile.bind(host);
  host.readFile = (file) => (file === program ? text : read(file));
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (file, how, ...rest) => {
    if (file === program) return getSourceFile(file, how, ...rest);
    // Most of the time is for the libraries, which are the same for every program.
    const key = JSON.stringify([compiler.version, file, how]);
    const found = parsed.get(key) ?? getSourceFile(file, how, ...rest);
    parsed.set(key, found);
    return found;
  };
  return compiler.createProgram([program], options, host);
}

const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler finds wrong in our declarations and in what they build on; the frameworks' own are theirs to check. */
function faultsOf(compiler: typeof ts, program: ts.Program): string[] {
  const ours = program.getSourceFiles().filter(({ fileName }) => {
    return ['latchkey', '@latchkey/client', undefined].includes(packageOf(fileName));
  });
  expect(ours.length).toBeGreaterThan(5);
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  return found.map(({ file, messageText }) => {
    return `${file?.fileName ?? ''}: ${compiler.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

function packageOf(file: string): string | undefined {
  return /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1];
}
