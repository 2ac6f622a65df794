import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createClient } from '../../generated/client/index.js';
import { logIn, type Session } from '../../generated/index.js';
import { type Database, openDatabase } from '../../server/database/index.js';
import { createLog } from '../../server/log/log.js';
import { type StartOptions, start as startWith } from '../../server/start.js';
import { manageUsers } from '../../server/users/admin.js';
import { createPasswords, QUICK_HASH } from '../../server/users/passwords.js';
import { borrowDatabase } from './databases.js';

export type Client = ReturnType<typeof createClient>;

export const ADMIN = { email: 'admin@latchkey.local', password: 'correct horse battery staple' };

/** Somebody with a session; `client` sends its token as a bearer credential. */
export interface Person {
  email: string;
  password: string;
  session: Session;
  token: string;
  client: Client;
}

/** The real server on a free port and a real database of the project's engine, both gone when the test ends. */
export interface Service {
  url: string;
  /** The database file's path, or the URL of one on PostgreSQL. */
  database: string;
  clock: Clock;
  /** The log's lines so far. */
  log: string[];
  /** A client without a credential. */
  anonymous: Client;
  /** A client that sends `token` as a bearer credential. */
  as(token: string): Client;
  /** The first user, logged in. */
  admin(): Promise<Person>;
  /** Somebody who is a user already, logged in anew. */
  logIn(email: string, password: string): Promise<Person>;
  /** A new user, logged in. */
  newUser(email?: string): Promise<Person>;
  /** Stops the server and starts another on the same database. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Clock {
  now(): number;
  set(instant: number | string): void;
  advance(milliseconds: number): void;
}

/** A usual hash takes 15 ms of a core, and most tests make and verify several. */
const QUICK_PASSWORDS = createPasswords(QUICK_HASH);

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export async function startService(
  options: StartOptions = {},
  whenDone: (cleanUp: () => Promise<void>) => void = onTestFinished,
): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  const own = options.database === undefined ? await borrowDatabase(folder) : undefined;
  const database = options.database ?? own?.database ?? '';
  // The same for all databases, so that a service can open the copy of another one's.
  const secretKeyFile = join(folder, 'secret.key');
  await writeFile(secretKeyFile, `${Buffer.alloc(32, 7).toString('base64')}\n`);
  const clock = createClock();
  const log: string[] = [];
  const note = (line: string) => {
    // The tests' PostgreSQL does without flushes, of which the service warns at each start.
    if (!line.includes('fsync is off')) log.push(line);
  };
  let db: Database | undefined;
  const start = () =>
    startWith({
      port: 0,
      database,
      adminEmail: ADMIN.email,
      adminPassword: ADMIN.password,
      checkResponses: true,
      now: clock.now,
      log: createLog('info', { write: note }),
      passwords: QUICK_PASSWORDS,
      lastCall: 0,
      secretKeyFile,
      openDatabase: async (...args) => (db = await openDatabase(...args)),
      ...options,
      // No test asks for the addresses of others' hosts, or sends something to them.
      webhooks: { resolve: () => Promise.resolve([]), net: 100, ...options.webhooks },
    });
  let server = await start();
  whenDone(async () => {
    await server.close();
    await own?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  let users = 0;
  const service: Service = {
    get url() {
      return server.url;
    },
    database,
    clock,
    log,
    get anonymous() {
      return createClient({ baseUrl: server.url });
    },
    as: (token) => createClient({ baseUrl: server.url, headers: { Authorization: `Bearer ${token}` } }),
    admin: () => logInAs(service, ADMIN.email, ADMIN.password),
    logIn: (email, password) => logInAs(service, email, password),
    async newUser(email = `user${String(++users)}@example.org`) {
      const password = `password of ${email}`;
      const own = db ?? (await openDatabase(database));
      await manageUsers(own, QUICK_PASSWORDS).add({ email, fullName: `Name of ${email}`, isAdmin: false, password });
      if (db === undefined) await own.close();
      return await logInAs(service, email, password);
    },
    async restart() {
      await server.close();
      server = await start();
    },
    stop: () => server.close(),
  };
  return service;
}

async function logInAs(service: Service, email: string, password: string): Promise<Person> {
  const session = await answered(logIn({ client: service.anonymous, body: { username: email, password } }));
  return { email, password, session, token: session.access_token, client: service.as(session.access_token) };
}

/** The data of a call that must succeed. */
export async function answered<T>(
  call: Promise<{ data: T; error?: unknown; response?: Response }>,
): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  if (data === undefined || data === null) {
    throw new Error(`refused: ${String(response?.status)} ${JSON.stringify(error)}`);
  }
  return data;
}

/** Starts at a moment that is not now, so that a reader of the real clock is found out. */
function createClock(): Clock {
  let instant = Date.parse('2030-06-15T12:00:00.000Z');
  return {
    now: () => instant,
    set(to) {
      instant = typeof to === 'string' ? Date.parse(to) : to;
    },
    advance(milliseconds) {
      instant += milliseconds;
    },
  };
}
