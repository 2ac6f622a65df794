import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type SmallReply, type SmallRequest, startSmall } from '../contract/planted/small.js';
import { body, document } from '../contract/small/document.js';
import { latchkey, newFolder } from '../support/process.js';

// Each flag of `latchkey contract` does what it says, and the line `again` shows a fault again.

const TOKEN = 'the-credential-of-the-run-0001';
const OTHER = 'the-credential-of-another-0002';

const text = { type: 'string', maxLength: 20 };
const refusals = { 400: body({}), 401: body({}), 404: body({}), 405: { description: 'no' } };
const thing = { type: 'object', required: ['id', 'owner'], properties: { id: text, owner: text } };
const id = { name: 'id', in: 'path', required: true, schema: text };
const limit = { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 9 } };

const spec = document(
  {
    '/things': {
      get: {
        operationId: 'listThings',
        tags: ['Things'],
        parameters: [limit],
        responses: { ...refusals, 200: body({ type: 'array', items: thing }) },
      },
      post: { operationId: 'makeThing', tags: ['Things'], responses: { ...refusals, 201: body(thing) } },
    },
    '/things/{id}': {
      parameters: [id],
      get: { operationId: 'getThing', tags: ['Things'], responses: { ...refusals, 200: body(thing) } },
    },
  },
  { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  { security: [{ bearer: [] }] },
);

type Flaw = 'limit 9 fails' | 'another sees everything' | 'every list takes its time';

/** Things of two callers; with a `signature` every request must have that header. */
async function startThings(flaw?: Flaw, signature?: string): Promise<{ url: string; requests: SmallRequest[] }> {
  const things: { id: string; owner: string }[] = [];
  const requests: SmallRequest[] = [];
  async function answer(request: SmallRequest): Promise<SmallReply> {
    const { method, path, query, headers } = request;
    requests.push(request);
    const credential = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
    const isSigned = signature === undefined || headers['x-signature'] === signature;
    if (!isSigned || (credential !== TOKEN && credential !== OTHER)) return { status: 401, body: {} };
    const owner = credential === TOKEN ? 'one' : 'two';
    const mine = things.filter((each) => flaw === 'another sees everything' || each.owner === owner);
    if (path === '/things' && method === 'POST') {
      things.push({ id: `t-${String(things.length)}`, owner });
      return { status: 201, body: things.at(-1) };
    }
    if (method !== 'GET') return { status: 405, headers: { Allow: path === '/things' ? 'GET, POST' : 'GET' } };
    if (path === '/things') {
      if (flaw === 'every list takes its time') await new Promise((done) => setTimeout(done, 60));
      const wanted = query.get('limit') ?? '5';
      if (flaw === 'limit 9 fails' && wanted === '9') return { status: 500 };
      return /^[1-9]$/.test(wanted) ? { status: 200, body: mine.slice(0, Number(wanted)) } : { status: 400, body: {} };
    }
    const found = mine.find((each) => path === `/things/${each.id}`);
    return found === undefined ? { status: 404, body: {} } : { status: 200, body: found };
  }
  return { url: await startSmall(answer), requests };
}

async function inFolder(more: Record<string, string> = {}): Promise<string> {
  const cwd = await newFolder();
  for (const [name, content] of Object.entries({ 'spec.json': JSON.stringify(spec), ...more }))
    await writeFile(join(cwd, name), content);
  return cwd;
}

const ARGS = ['contract', '--spec', 'spec.json', '--seed', '7', '--quiet'];

/** Runs the line that a report has for a fault, with a `latchkey` in the path as an installed one. */
async function runAgain(output: string, cwd: string, env: Record<string, string>) {
  const [, line] = /^ +again +(.+)$/m.exec(output) ?? [];
  const shim = join(cwd, 'latchkey');
  await writeFile(shim, `#!/bin/sh\nexec ${process.execPath} ${resolve('dist/cli/main.js')} "$@"\n`);
  await chmod(shim, 0o755);
  const path = `${cwd}:${process.env['PATH'] ?? ''}`;
  const again = promisify(execFile)('sh', ['-c', line ?? 'false'], { cwd, env: { ...env, PATH: path } });
  const { stdout } = await again.catch((error: unknown) => error as { stdout: string });
  return { line, stdout };
}

test('the line again shows a fault again by itself: with configuration, hooks, headers and credentials', async () => {
  const { url } = await startThings('limit 9 fails', 'signed');
  const cwd = await inFolder({
    'hooks.mjs': `export const request = (request) => ({ ...request, headers: { ...request.headers, 'X-Signature': 'signed' } });`,
    'the config.yaml': 'spec: spec.json\nhooks: hooks.mjs\nfuzzRuns: 2\ntoken: { env: THE_TOKEN }\n',
  });
  const env = { THE_TOKEN: TOKEN };
  const flags = [
    '--config',
    'the config.yaml',
    '--url',
    url,
    '--header',
    "X-Note: it's",
    '--time',
    '40s',
    '--seed',
    '7',
  ];
  const first = await latchkey(['contract', ...flags], { cwd, env });
  expect(first.stdout).toMatch(/^1\. listThings: the server fails with 500/m);
  const again = await runAgain(first.stdout, cwd, env);
  expect(again.line).toBe(
    `latchkey contract --config 'the config.yaml' --url ${url} --header 'X-Note: it'\\''s' --time 40s --seed 7 --only listThings`,
  );
  expect(again.stdout).toMatch(/^1\. listThings: the server fails with 500/m);
});

test('the line again tells no credential of the command line, and takes it from a variable', async () => {
  const { url } = await startThings('limit 9 fails');
  const cwd = await inFolder();
  const secrets = ['--token', TOKEN, '--credential', `bearer=${TOKEN}`, '--header', 'X-Api-Key: gateway-key-1'];
  const report = ['--report', 'r.xml', '--report', 'r.html'];
  const first = await latchkey([...ARGS, '--url', url, ...secrets, ...report], { cwd });
  const line = `latchkey contract --url ${url} --spec spec.json --token "$TOKEN" --credential "bearer=$TOKEN_BEARER" --header "X-Api-Key: $X_API_KEY" --seed 7 --only listThings`;
  expect(first.stdout).toContain(line);
  expect(first.stdout).not.toMatch(/the-credential|gateway-key/);
  const [xml, html] = await Promise.all(['r.xml', 'r.html'].map((name) => readFile(join(cwd, name), 'utf8')));
  expect(xml).toContain(line.replaceAll('"', '&quot;'));
  expect(html).toContain(line.replaceAll('"', '&quot;'));
  const again = await runAgain(first.stdout, cwd, { TOKEN, TOKEN_BEARER: TOKEN, X_API_KEY: 'gateway-key-1' });
  expect(again.stdout).toMatch(/^1\. listThings: the server fails with 500/m);
});

test('the help names each flag that may be repeated, and no default of it', async () => {
  const { code, stdout } = await latchkey(['contract', '--help']);
  expect(code).toBe(0);
  expect(stdout.replaceAll(/\s+/g, ' ').split('may be repeated')).toHaveLength(7);
  expect(stdout).not.toContain('[]');
});

test('what is not tested ends with code 2, and with 0 where that is allowed', async () => {
  const { url } = await startThings();
  const cwd = await inFolder();
  const args = [...ARGS, '--url', url, '--token', `${TOKEN}\n`, '--time', '1ms'];
  const cut = await latchkey(args, { cwd });
  expect(cut.stdout).toMatch(
    /is not fully tested against Small 1: stopped after 0\.0 s: [23] of 3 operations untested/,
  );
  expect(cut.code).toBe(2);
  expect((await latchkey([...args, '--allow-incomplete'], { cwd })).code).toBe(0);
});

test('--time bounds the whole run', async () => {
  const { url } = await startThings('every list takes its time');
  const cwd = await inFolder();
  const { stdout, code } = await latchkey([...ARGS, '--url', url, '--token', TOKEN, '--time', '1200ms'], { cwd });
  expect(stdout).toMatch(/stopped after 1\.2 s: .*\(\d+ requests in 1\.[2-6] s, seed 7\)$/m);
  expect(code).toBe(2);
});

test('--max-response-time makes a slow answer a fault', async () => {
  const { url } = await startThings('every list takes its time');
  const cwd = await inFolder();
  const args = [...ARGS, '--url', url, '--token', TOKEN, '--only', 'listThings', '--checks', 'time', '--time', '2s'];
  expect(await latchkey([...args, '--max-response-time', '20s', '--allow-incomplete'], { cwd })).toMatchObject({
    code: 0,
  });
  const slow = await latchkey([...args, '--max-response-time', '40ms'], { cwd });
  expect(slow.stdout).toMatch(/^1\. listThings: an answer is slow/m);
  expect(slow.stdout).toMatch(/ --time 2s --max-response-time 40ms --seed 7 --only listThings$/m);
  expect(slow.code).toBe(1);
});

test('--other finds what a second identity sees of the first', async () => {
  const cwd = await inFolder({ 'other.txt': `${OTHER}\n` });
  const run = async (flaw?: Flaw) => {
    const { url } = await startThings(flaw);
    const identities = ['--token', TOKEN, '--other', 'file:other.txt'];
    return await latchkey([...ARGS, '--url', url, ...identities, '--checks', 'isolation'], { cwd });
  };
  expect(await run()).toMatchObject({ code: 0 });
  const seen = await run('another sees everything');
  expect(seen.stdout).toMatch(/check +isolation/);
  expect(seen.stdout).toMatch(/^ +again .*--other file:other\.txt /m);
  expect(seen.code).toBe(1);
});

test('--checks and --exclude-checks choose what counts', async () => {
  const { url } = await startThings('limit 9 fails');
  const cwd = await inFolder();
  const args = [...ARGS, '--url', url, '--token', TOKEN, '--only', 'listThings'];
  expect((await latchkey([...args, '--checks', 'server-error,status'], { cwd })).code).toBe(1);
  expect((await latchkey([...args, '--checks', 'body,headers', '--checks', 'server-error'], { cwd })).code).toBe(1);
  expect((await latchkey([...args, '--checks', 'headers'], { cwd })).code).toBe(0);
  const without = await latchkey(
    [...args, '--exclude-checks', 'server-error,status', '--exclude-checks', 'acceptance'],
    {
      cwd,
    },
  );
  expect(without.stdout).not.toMatch(/check +(server-error|status|acceptance)/);
  expect(without).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ keeps the contract of Small 1: 2 warnings /) as string,
  });
  const unknown = await latchkey([...args, '--checks', 'stats'], { cwd });
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/there is no check stats; the checks are answer, /);
});

test('a scheme that the document does not have, and a base path that the address lacks, end with code 2', async () => {
  const { url } = await startThings();
  const cwd = await inFolder({ 'based.json': JSON.stringify({ ...spec, servers: [{ url: '/api/v3' }] }) });
  const unknown = await latchkey([...ARGS, '--url', url, '--credential', 'beerer=x'], { cwd });
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toBe('latchkey: the document has no security scheme beerer: it has bearer\n');
  const below = await startSmall(({ path }) =>
    path.startsWith('/api/v3/') ? { status: 200, body: [] } : { status: 404, body: {} },
  );
  const open = { ...spec, security: [], servers: [{ url: '/api/v3' }] };
  await writeFile(join(cwd, 'based.json'), JSON.stringify(open));
  const lost = await latchkey(['contract', '--spec', 'based.json', '--url', below], { cwd });
  expect(lost.stdout).toContain(`the document has the base path /api/v3, which the URL lacks; use ${below}/api/v3`);
  expect(lost.code).toBe(2);
});
