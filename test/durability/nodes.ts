import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { isOnPostgres, newDatabase } from '../support/databases.js';
import { type Answer, type RequestParts, send } from '../support/http.js';
import { ADMIN, newFolder, type Serving, serveDatabase, type WhenDone } from '../support/process.js';

/** The name of the engine, for the figures. */
export const ENGINE = isOnPostgres ? 'PostgreSQL' : 'SQLite';

const COUNT = isOnPostgres ? 3 : 2;
/** Milliseconds before a request that got 503 is sent again. */
const PAUSE = 20;

export const TOKENS = '/api/v1/access-tokens';

/** Processes of the service that share one database. */
export interface Nodes {
  /** The path or URL of the database. */
  database: string;
  /** A node that has ended may be replaced. */
  all: Serving[];
  /** The node with this number, counted round the nodes. */
  at(index: number): Serving;
}

/** Somebody with a session. */
export interface Person {
  id: number;
  email: string;
  token: string;
  refreshToken: string;
}

/** Nodes for all tests of a file. They start with the first call, and end after the last test. */
export function shareNodes<T extends Nodes>(start: (whenDone: WhenDone) => Promise<T>): () => Promise<T> {
  const cleanUps: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  let started: Promise<T> | undefined;
  return () => (started ??= start((cleanUp) => cleanUps.push(cleanUp)));
}

/** Starts nodes, by default three on a new database on PostgreSQL, or two on a new SQLite file. */
export async function startNodes(
  whenDone: WhenDone,
  { env = {}, url }: { env?: Record<string, string>; url?: string } = {},
): Promise<Nodes> {
  const database = url ?? (await databaseUntil(whenDone));
  const all = await atOnce(COUNT, () => serveDatabase(database, env, { whenDone }));
  return toNodes(database, all);
}

export function toNodes(database: string, all: Serving[]): Nodes {
  return { database, all, at: (index) => all[index % all.length] as Serving };
}

/** A new database, removed by `whenDone`. */
export async function databaseUntil(whenDone: WhenDone): Promise<string> {
  const { database, remove } = await newDatabase(isOnPostgres ? '' : await newFolder(whenDone));
  whenDone(remove);
  return database;
}

/** Open connections for the requests of a file. */
const agent = new Agent({ keepAlive: true });

/** Sends a request until the answer is not the 503 of a node that has too much to do, which did nothing. */
export async function ask(node: Serving, line: `${string} ${string}`, parts: RequestParts = {}): Promise<Answer> {
  for (;;) {
    const answer = await send(node, line, { ...parts, agent });
    if (answer.status !== 503) return answer;
    await sleep(PAUSE);
  }
}

export async function logInAt(node: Serving, { email, password } = ADMIN): Promise<Person> {
  const { status, body } = await ask(node, 'POST /api/v1/auth/login/', { json: { username: email, password } });
  if (status !== 200) throw new Error(`login was rejected: ${String(status)}`);
  const session = body as { id: number; access_token: string; refresh_token: string };
  return { id: session.id, email, token: session.access_token, refreshToken: session.refresh_token };
}

/** Adds a user with this e-mail and logs in as this user. */
export async function addUser(
  node: Serving,
  admin: Person,
  email: string,
  wish: { isAdmin?: boolean } = {},
): Promise<Person> {
  const json = { email, password: ADMIN.password, ...wish };
  const { status, text } = await ask(node, 'POST /api/v1/users', { token: admin.token, json });
  if (status !== 201) throw new Error(`adding a user was rejected: ${text}`);
  return await logInAt(node, { email, password: ADMIN.password });
}

export interface Issued {
  plaintext: string;
  token: { id: string; name: string };
}

/** Creates a token that must be created. */
export async function issue(node: Serving, token: string, json: object): Promise<Issued & { tag: string }> {
  const { status, text, body, headers } = await ask(node, `POST ${TOKENS}`, { token, json });
  if (status !== 201) throw new Error(`creating a token was rejected: ${text}`);
  return { ...(body as Issued), tag: headers.etag ?? '' };
}

/** The ids of the caller's valid tokens. */
export async function validIds(node: Serving, token: string, filter = ''): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `limit=200${filter}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { status, body, text } = await ask(node, `GET ${TOKENS}?${query}`, { token });
    if (status !== 200) throw new Error(`listing was rejected: ${text}`);
    const page = body as { items: { id: string }[]; nextCursor: string | null };
    found.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return found;
}

/** Runs `work` for the numbers below `count`, so many at a time. */
export async function inTurns(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Runs `work` for the numbers below `count`, all at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** How many answers have each status, such as `{ 201: 3, 409: 47 }`. */
export type Statuses = Record<number, number>;

export function statusesOf(answers: readonly { status: number }[]): Statuses {
  const counts: Statuses = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
