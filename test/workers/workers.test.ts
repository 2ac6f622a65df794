import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAccessToken, listAccessTokens, revokeAccessToken } from '../../generated/index.js';
import { isOnPostgres, removeDatabase } from '../support/databases.js';
import { type Following, follow } from '../support/following.js';
import { type Answer, send } from '../support/http.js';
import {
  ADMIN,
  latchkeyStarted,
  logInTo,
  logOf,
  ownDatabase,
  type Serving,
  serve,
  serveDatabase,
} from '../support/process.js';
import { answered } from '../support/service.js';
import { answersIn, openConnection } from '../support/socket.js';
import { change, rowsOf } from '../support/store.js';

// Every `send` is a connection of its own, and the system gives connections to whichever worker is free: of several at
// once, each worker has some.

/** Two processes, whose database is of the project's engine. */
const TWO = { LATCHKEY_WORKERS: '2' };
const API = '/api/v1/access-tokens';

describe('two workers', () => {
  test('both answer at one address, which is printed once, like the generated password', async () => {
    const database = await ownDatabase();
    if (isOnPostgres) await change({ database }, 'drop schema public cascade', 'create schema public');
    const serving = await serve({ ...TWO, LATCHKEY_DATABASE: database });
    expect((await workersOf(serving)).size).toBe(2);
    expect(serving.output.stdout).toMatch(
      /^created user admin@latchkey\.local with password \w{24} \(shown only once\)\nlatchkey listening on http:\S+\n$/,
    );
    const [, password = ''] = /with password (\w+)/.exec(serving.output.stdout) ?? [];
    await logInTo(serving.url, { email: 'admin@latchkey.local', password });
    // One of them has migrated, and the users are one.
    expect(await rowsOf({ database }, 'select email from users')).toEqual([{ email: 'admin@latchkey.local' }]);
    expect(serving.output.stderr).not.toContain(password);
  });

  test('a token that one has revoked is refused by both from then on', async () => {
    const serving = await startTwo();
    const { client } = await logInTo(serving.url);
    for (let round = 0; round < 20; round++) {
      const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'short-lived' } }));
      const use = () => send(serving, `GET ${API}/current`, { token: plaintext });
      expect(statusesOf(await times(3, use))).toEqual([200, 200, 200]);
      await revokeAccessToken({ client, path: { token_id: token.id } });
      expect(statusesOf(await times(3, use))).toEqual([401, 401, 401]);
    }
    expect((await workersOf(serving)).size).toBe(2);
  });

  test('a change at either reaches the streams of both', async () => {
    const database = await ownDatabase();
    const serving = await serveDatabase(database, TWO);
    const { token } = await logInTo(serving.url);
    const streams: Following[] = [];
    while ((await workersWithStreams(serving)) < 2) {
      streams.push(...(await times(2, () => follow({ url: serving.url, database }, token))));
      expect(streams.map(({ status }) => status)).not.toContain(429);
    }
    const names = Array.from({ length: 12 }, (_, at) => `at either ${String(at)}`);
    await Promise.all(names.map((name) => send(serving, `POST ${API}`, { token, json: { name } })));
    for (const stream of streams) {
      const labels: unknown[] = [];
      while (labels.length < names.length) labels.push((await stream.event()).target?.label);
      expect(labels.sort()).toEqual([...names].sort());
      stream.close();
    }
  });

  test('failed logins count together: ten of many at once are tried, and none after them', async () => {
    const serving = await startTwo();
    const json = { username: ADMIN.email, password: 'a wrong password' };
    const answers = await times(24, () => send(serving, 'POST /api/v1/auth/login/', { json }));
    expect(statusesOf(answers).sort()).toEqual([...Array<number>(10).fill(401), ...Array<number>(14).fill(429)]);
    const right = { username: ADMIN.email, password: ADMIN.password };
    const later = await times(4, () => send(serving, 'POST /api/v1/auth/login/', { json: right }));
    expect(statusesOf(later)).toEqual([429, 429, 429, 429]);
    for (const { headers } of later) expect(Number(headers['retry-after'])).toBeGreaterThan(600);
  });

  test('one Idempotency-Key makes one token, whichever gets the repetitions', async () => {
    const serving = await startTwo();
    const { client, token } = await logInTo(serving.url);
    const headers = { 'Idempotency-Key': 'once-and-only-once' };
    const json = { name: 'made once' };
    const answers = await times(12, () => send(serving, `POST ${API}`, { token, headers, json }));
    expect(new Set(statusesOf(answers))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(items).toHaveLength(1);
  });

  test('the limit of tokens holds for both together', async () => {
    const serving = await startTwo({ LATCHKEY_MAX_TOKENS_PER_OWNER: '5' });
    const { token } = await logInTo(serving.url);
    const answers = await times(16, () => send(serving, `POST ${API}`, { token, json: { name: 'one of many' } }));
    expect(statusesOf(answers).sort()).toEqual([...Array<number>(5).fill(201), ...Array<number>(11).fill(409)]);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'one that %s ends is replaced, and nothing that was answered is lost',
    async (signal) => {
      const serving = await startTwo();
      const { client, token } = await logInTo(serving.url);
      const before = await workersOf(serving);
      const made: string[] = [];
      const creating = times(60, async () => {
        const answer = await send(serving, `POST ${API}`, { token, json: { name: 'made meanwhile' } }).catch(
          () => null,
        );
        if (answer?.status === 201) made.push((answer.body as { token: { id: string } }).token.id);
      });
      const [first = 0] = before;
      process.kill(first, signal);
      await creating;
      await expect.poll(async () => [...(await workersOf(serving))].filter((pid) => pid !== first).length).toBe(2);
      expect(isAlive(first)).toBe(false);

      const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat', limit: 100 } }));
      expect(made.length).toBeGreaterThan(0);
      expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining(made));
      expect(serving.child.exitCode).toBeNull();
    },
  );

  test('SIGTERM answers what both have in flight and ends with code 0', async () => {
    const serving = await startTwo();
    const { token } = await logInTo(serving.url);
    const workers = await workersOf(serving);
    const body = JSON.stringify({ name: 'made while stopping' });
    const create = `POST ${API} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;
    const connections = await Promise.all(Array.from({ length: 6 }, () => openConnection(serving.url)));
    for (const connection of connections) connection.write(create.slice(0, -5));
    await sleep(200);
    const start = performance.now();
    serving.child.kill('SIGTERM');
    await sleep(300);
    for (const connection of connections) connection.write(create.slice(-5));
    const answers = (await Promise.all(connections.map(({ closed }) => closed))).flatMap(answersIn);
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(6).fill(201));
    expect((await serving.finished).code).toBe(0);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect([...workers].filter(isAlive)).toEqual([]);
  });

  test('Ctrl-C at any moment of the start ends all with code 0 or by the signal', { timeout: 90_000 }, async () => {
    for (const moment of ['at once', 50, 200, 400, 'database', 'first user', 50, 150, 'listening'] as const) {
      const database = await ownDatabase();
      const env = { ...TWO, LATCHKEY_PORT: '0', LATCHKEY_DATABASE: database };
      const { child, output, finished } = latchkeyStarted(['serve'], { env, detached: true });
      const { pid = 0 } = child;
      onTestFinished(() => {
        for (const member of groupOf(pid)) process.kill(member, 'SIGKILL');
      });
      const isReached = {
        'at once': () => true,
        // PostgreSQL's is there before.
        database: () => isOnPostgres || existsSync(database),
        'first user': () => output.stdout.includes('created user'),
        listening: () => output.stdout.includes('listening on'),
      };
      if (typeof moment === 'number') await sleep(moment);
      else await expect.poll(isReached[moment], { timeout: 20_000, interval: 2 }).toBe(true);
      // As a terminal does: every process of the group gets it.
      process.kill(-pid, 'SIGINT');
      const { code, stderr } = await finished;
      expect([0, null], `${String(moment)}: ${stderr}`).toContain(code);
      if (code === null) expect(child.signalCode).toBe('SIGINT');
      await expect.poll(() => groupOf(pid), { timeout: 5_000 }).toEqual([]);
    }
  });

  test('a second signal ends all at once', async () => {
    const serving = await startTwo();
    const workers = await workersOf(serving);
    const connection = await openConnection(serving.url);
    connection.write(
      'POST /api/v1/auth/login/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    );
    await sleep(200);
    serving.child.kill('SIGTERM');
    await sleep(300);
    serving.child.kill('SIGTERM');
    expect((await serving.finished).code).toBe(1);
    await expect.poll(() => [...workers].filter(isAlive), { timeout: 5_000 }).toEqual([]);
  });

  test('they do not outlive the process that started them', async () => {
    const serving = await startTwo();
    const workers = await workersOf(serving);
    expect(workers.size).toBe(2);
    serving.child.kill('SIGKILL');
    await expect.poll(() => [...workers].filter(isAlive), { timeout: 15_000 }).toEqual([]);
  });

  test('where none can be started any more, the command ends with code 1 and says why', async () => {
    const database = await ownDatabase();
    const serving = await serveDatabase(database, TWO);
    const workers = await workersOf(serving);
    if (isOnPostgres) await removeDatabase(database);
    else await rm(dirname(database), { recursive: true });
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await serving.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^latchkey: no worker can be kept running: UnusableDatabase: .*there is no (folder|such database)/m,
    );
  });
});

async function startTwo(env: Record<string, string> = {}): Promise<Serving> {
  return await serveDatabase(await ownDatabase(), { ...TWO, ...env });
}

/** The processes that answer now, by the log of requests: of both where there are two, though one may take some in a row. */
async function workersOf(serving: Serving): Promise<Set<number>> {
  const before = logOf(serving).length;
  const health = () =>
    logOf(serving)
      .slice(before)
      .filter(({ route }) => route === '/healthz');
  const pids = () => new Set(health().map(({ pid }) => Number(pid)));
  for (let round = 1; round <= 10 && pids().size < 2; round++) {
    await times(6, () => send(serving, 'GET /healthz'));
    await expect.poll(() => health().length).toBe(6 * round);
  }
  return pids();
}

/** How many processes have streams of events. */
async function workersWithStreams(serving: Serving): Promise<number> {
  const pids = new Set<unknown>();
  for (const { body, headers } of await times(12, () => send(serving, 'GET /readyz'))) {
    if ((body as { eventStreams: number }).eventStreams === 0) continue;
    const ofRequest = () => logOf(serving).find(({ requestId }) => requestId === headers['x-request-id']);
    await expect.poll(ofRequest).toBeDefined();
    pids.add(ofRequest()?.['pid']);
  }
  return pids.size;
}

/** The living processes of a process group. */
function groupOf(leader: number): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, group, state = '']) => Number(group) === leader && !state.startsWith('Z'))
    .map(([pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, work));
}

function statusesOf(answers: Answer[]): number[] {
  return answers.map(({ status }) => status);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
