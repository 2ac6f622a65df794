import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentsWith } from './support/documents.js';
import { packBoth } from './support/packed.js';
import { ADMIN, startService } from './support/service.js';

const run = promisify(execFile);
const TSC = resolve('node_modules/typescript/bin/tsc');
/** Compiled when this repository's packages were installed; compiling it anew takes a minute. */
const SQLITE_ADDON = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';

const CONSUMER = `
import { createLatchkey, LatchkeyError, type AccessToken } from '@latchkey/client';
import * as everything from 'latchkey';
import { type RunningServer, startServer } from 'latchkey/server';

const server: RunningServer = await startServer({ port: 0, database: ':memory:', adminPassword: 'a password', logLevel: 'silent' });
try {
  const lk: everything.Latchkey = createLatchkey({ baseUrl: server.url });
  const { email = '' } = server.firstUser ?? {};
  await lk.logIn({ username: email, password: 'a password' });
  const { plaintext } = await lk.createAccessToken({ body: { name: 'deploy bot', expiresInDays: 90 } });
  const names: string[] = [];
  for await (const token of everything.createLatchkey({ baseUrl: server.url, token: plaintext }).accessTokens.all()) {
    const { name }: AccessToken = token;
    names.push(name);
  }
  const code = await lk.createAccessToken({ body: { name: '' } }).then(
    () => 'none',
    (error: unknown) => (error instanceof LatchkeyError && error.code === 'invalid_input' ? error.problems[0].type : 'other'),
  );
  const { data, etag } = await lk.getCurrentAccessToken().withResponse();
  const edit: everything.InputOf<'updateAccessToken'> = { path: { token_id: data.id }, body: { description: 'a' }, ifMatch: etag };
  const { description }: everything.DataOf<'updateAccessToken'> = await lk.updateAccessToken(edit);
  const rotated = await lk.createAccessToken({ body: { name: 'a' }, idempotencyKey: 'a' }).then(({ token }) =>
    lk.rotateAccessToken({ path: { token_id: token.id }, body: { gracePeriodSeconds: 60 } }),
  );
  const earlier: string | undefined = rotated.token.previousSecret?.tokenPrefix;
  const verdict: everything.VerificationCode = (await lk.verifyAccessToken({ body: { token: rotated.plaintext } })).code;
  const introspection = await lk.introspectToken({ body: { token: plaintext, token_type_hint: 'access_token' } });
  const owner = introspection.active ? introspection.username : undefined;
  const nothing: void = await lk.revokeOAuthToken({ body: { token: plaintext } });
  const done = [description, earlier?.length, verdict, owner === email, nothing === undefined];
  console.log(JSON.stringify({ names, code, done }));
} finally {
  await server.close();
}
`;

const BROWSER_CONSUMER = `
import { createLatchkey, LatchkeyError } from '@latchkey/client';
import { createVerifier, type Auth } from '@latchkey/client/middleware';

export async function ownerOf(baseUrl: string, token: string, request: Request): Promise<Auth['owner'] | Response> {
  const decision = await createVerifier({ baseUrl, token }).guard({ scopes: ['invoices:read'] })({
    method: request.method,
    header: (name) => request.headers.get(name) ?? undefined,
    origin: () => new URL(request.url).origin,
    source: request,
  });
  if (decision.passed && decision.auth !== undefined) return decision.auth.owner;
  return decision.passed ? Response.error() : new Response(decision.answer.body, decision.answer);
}

// @ts-expect-error -- a name is required; this also shows that the types are there and none has become any
export const misuse = (lk: ReturnType<typeof createLatchkey>) => lk.createAccessToken({ body: {} });

export async function countTokens(baseUrl: string, token: string): Promise<number | LatchkeyError['code']> {
  let count = 0;
  try {
    for await (const { id } of createLatchkey({ baseUrl, token }).privateTokens.all({ q: 'bot' })) count += Math.sign(id);
  } catch (error) {
    if (error instanceof LatchkeyError) return error.code;
    throw error;
  }
  return count;
}
`;

let folder: string;
/** A project with both packages, and one with the client alone. */
let both: string;
let clientAlone: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-consumer-'));
  const { server, client } = await packBoth(folder);
  both = await createProject('both', [server, client]);
  clientAlone = await createProject('client-alone', [client]);
  await mkdir(join(both, SQLITE_ADDON, '..'), { recursive: true });
  await cp(SQLITE_ADDON, join(both, SQLITE_ADDON));
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function createProject(name: string, tarballs: string[]): Promise<string> {
  const project = join(folder, name);
  await mkdir(project);
  await writeFile(join(project, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...options, ...tarballs], { cwd: project });
  return project;
}

async function compile(project: string, source: string, options: Record<string, unknown>): Promise<string> {
  const outDir = await mkdtemp(join(project, 'out-'));
  const source_ = join(project, 'consumer.ts');
  await writeFile(source_, source);
  const config = {
    compilerOptions: {
      target: 'ES2023',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      typeRoots: [resolve('node_modules/@types')],
      rootDir: project,
      outDir,
      ...options,
    },
    files: [source_],
  };
  const configFile = join(outDir, 'tsconfig.json');
  await writeFile(configFile, JSON.stringify(config));
  const { stdout } = await run(process.execPath, [TSC, '--project', configFile], { cwd: project }).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).toBe('');
  return join(outDir, 'consumer.js');
}

describe('both packages, installed from their tarballs', () => {
  test.each([
    ['strict NodeNext', { module: 'NodeNext' }],
    ['moduleResolution bundler', { module: 'ESNext', moduleResolution: 'bundler' }],
  ])('serve a consumer that is compiled under %s', async (_, options) => {
    const lib = ['ES2023', 'DOM', 'DOM.AsyncIterable'];
    const program = await compile(both, CONSUMER, { ...options, lib, types: ['node'], skipLibCheck: true });
    const { stdout } = await run(process.execPath, [program], { cwd: both });
    expect(JSON.parse(stdout)).toEqual({
      names: ['deploy bot', 'session'],
      code: 'string_too_short',
      done: ['a', 12, 'valid', true, true],
    });
  });

  test('bring the command and the contract along', async () => {
    const { stdout } = await run(join(both, 'node_modules/.bin/latchkey'), ['--help']);
    expect(stdout).toContain('serve');
    const script = "import c from 'latchkey/openapi.json' with { type: 'json' }; console.log(c.openapi)";
    expect((await run(process.execPath, ['--input-type=module', '-e', script], { cwd: both })).stdout).toBe('3.1.0\n');
  });

  test('serve the pages for browsers', async () => {
    const pagesIn = async (folder: string) => (await readdir(join(folder, 'dist/web'), { recursive: true })).sort();
    expect(await pagesIn(join(both, 'node_modules/latchkey'))).toEqual(await pagesIn('.'));
    const script = `
      import { startServer } from 'latchkey/server';
      const server = await startServer({ port: 0, database: ':memory:', adminPassword: 'a password', logLevel: 'silent' });
      const { status, headers } = await fetch(server.url + '/reference', { headers: { 'Accept-Encoding': 'br' } });
      console.log(status, headers.get('content-type'), headers.get('content-encoding'));
      const page = await fetch(server.url + '/console').then((answer) => answer.text());
      const [, path] = /<script type="module" src="(.*?)">/.exec(page);
      const script = await fetch(server.url + path);
      console.log(script.status, script.headers.get('content-type'), script.headers.get('cache-control'));
      await server.close();
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: both });
    expect(stdout.split('\n')).toEqual([
      '200 text/html; charset=utf-8 br',
      '200 text/javascript; charset=utf-8 public, max-age=31536000, immutable',
      '',
    ]);
  });

  test('say in a sentence what PostgreSQL needs, which nobody else has to install', async () => {
    const env = { PATH: process.env['PATH'], LATCHKEY_DATABASE: 'postgres://a:secret@127.0.0.1/a' };
    const failed = run(join(both, 'node_modules/.bin/latchkey'), ['serve'], { env, cwd: both });
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'latchkey: PostgreSQL needs the package pg beside latchkey: npm install pg\n',
    });
  });

  test('say in a sentence what mails need, which nobody else has to install', async () => {
    const env = {
      PATH: process.env['PATH'],
      LATCHKEY_DATABASE: ':memory:',
      LATCHKEY_SMTP_URL: 'smtp://127.0.0.1:1',
      LATCHKEY_MAIL_FROM: 'a@example.org',
    };
    const failed = run(join(both, 'node_modules/.bin/latchkey'), ['serve', '--port', '0'], { env, cwd: both });
    await expect(failed).rejects.toMatchObject({
      stdout: '',
      stderr: 'latchkey: LATCHKEY_SMTP_URL needs the package nodemailer beside latchkey: npm install nodemailer\n',
    });
  });

  test('run the example that manages tokens', async () => {
    const example = join(both, 'manage-tokens.js');
    await cp('examples/manage-tokens/manage-tokens.js', example);
    const checkJs = {
      module: 'NodeNext',
      allowJs: true,
      checkJs: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: true,
    };
    await compile(both, "import './manage-tokens.js';", checkJs);

    const service = await startService();
    const { token } = await service.admin();
    const environment = { PATH: process.env['PATH'], LATCHKEY_URL: service.url, LATCHKEY_TOKEN: token };
    const manage = async (args: string[], env: NodeJS.ProcessEnv = {}) =>
      await run(process.execPath, [example, ...args], { env: { ...environment, ...env } }).then(
        ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
        (error: unknown) => error as { code: number; stdout: string; stderr: string },
      );

    const created = await manage(['create', 'deploy bot', '90']);
    const [, id = ''] = /^(\S+) {2}lk_pat_\w{36} {2}\(shown only once\)\n$/.exec(created.stdout) ?? [];
    await manage(['create', 'for ever']);
    expect((await manage(['list'])).stdout).toMatch(
      /never expires {2}for ever\n.* {2}2030-09-13T12:00:00\.000Z {2}deploy bot\n$/,
    );
    expect(await manage(['revoke', id])).toMatchObject({ code: 0, stdout: `revoked ${id}\n` });
    expect((await manage(['list'])).stdout).not.toContain('deploy bot');
    expect(await manage(['create', '', '0'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('name: ') as string,
    });
    expect(await manage(['list'], { LATCHKEY_TOKEN: 'lk_pat_none' })).toMatchObject({
      code: 1,
      stderr: 'LATCHKEY_TOKEN is not valid: it is missing, unknown, expired, revoked or disabled.\n',
    });
    expect(await manage(['frobnicate'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage: ') as string,
    });
  });

  test('run the programs of the documents, each part going on with the last, which print what it says', async () => {
    for (const file of documentsWith('client')) {
      const text = await readFile(file, 'utf8');
      const parts = [...text.matchAll(/<!-- client -->\n+```js\n(.*?)```\n+```text\n(.*?)```/gs)];
      expect(parts).toHaveLength(text.split('<!-- client -->').length - 1);
      const [program, output] = [1, 2].map((group) => parts.map((part) => part[group]).join('')) as [string, string];
      expect(program, file).toContain('@latchkey/client');
      const service = await startService({ now: () => Date.parse('2026-11-22T02:46:55.057Z') });
      await writeFile(join(both, 'readme.js'), program.replaceAll('http://127.0.0.1:8080', service.url));
      const { stdout } = await run(process.execPath, ['readme.js'], {
        cwd: both,
        env: { PATH: process.env['PATH'], PASSWORD: ADMIN.password },
      });
      expect(maskRandom(stdout), file).toBe(maskRandom(output));
    }
  });
});

/** Ids and tokens differ from run to run. */
function maskRandom(text: string): string {
  return text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID').replace(/(lk_(pat|ses)_)\w+/g, '$1...');
}

describe('the client alone, installed from its tarball', () => {
  test('brings nothing along', async () => {
    const installed = await readdir(join(clientAlone, 'node_modules'));
    expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['@latchkey']);
    expect(await readdir(join(clientAlone, 'node_modules/@latchkey'))).toEqual(['client']);
    const files = await readdir(join(clientAlone, 'node_modules/@latchkey/client'));
    expect(files.sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  });

  test.each([
    ['with the types of browsers alone', { lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [], skipLibCheck: false }],
    ['with the types of Node alone', { lib: ['ES2022'], types: ['node'], skipLibCheck: false }],
  ])('compiles %s', async (_, options) => {
    await compile(clientAlone, BROWSER_CONSUMER, { module: 'ESNext', moduleResolution: 'bundler', ...options });
  });

  test('shows an editor what each operation does', () => {
    const types = join(clientAlone, 'node_modules/@latchkey/client/dist/client/latchkey.d.ts');
    const program = ts.createProgram([types], { module: ts.ModuleKind.NodeNext, types: [] });
    const checker = program.getTypeChecker();
    const file = program.getSourceFile(types);
    const module = file && checker.getSymbolAtLocation(file);
    const client = module && checker.getExportsOfModule(module).find(({ name }) => name === 'Latchkey');
    const members = client === undefined ? [] : checker.getDeclaredTypeOfSymbol(client).getProperties();
    const operations = members.filter(({ name }) => !['accessTokens', 'auditEvents', 'privateTokens'].includes(name));
    const undocumented = operations.filter((operation) => operation.getDocumentationComment(checker).length === 0);
    expect(operations.length).toBeGreaterThan(10);
    expect(undocumented.map(({ name }) => name)).toEqual([]);
  });

  test('can be required', async () => {
    const script = "console.log(typeof require('@latchkey/client').createLatchkey)";
    const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', script], { cwd: clientAlone });
    expect(stdout).toBe('function\n');
  });
});
