import type { RequestListener } from 'node:http';
import { createApp } from './app.js';
import { createClockCheck } from './clock-check.js';
import { completeConfig, openOptions } from './config/config.js';
import { type Before, serveOperations } from './contract/contract.js';
import { type MigrationProgress, openDatabase } from './database/index.js';
import type { Deps, Mails, Passwords } from './deps.js';
import { createEvents, waking } from './events/events.js';
import { createFeed, type FeedOptions } from './events/feed.js';
import { readAuditKey } from './events/key.js';
import { createLinking } from './events/link.js';
import { createHandlers } from './handlers/index.js';
import type { ServiceState } from './handlers/service.js';
import { createConnections } from './http/connections.js';
import { createCors } from './http/cors.js';
import { createLoad } from './http/load.js';
import { createRejection } from './http/rejection.js';
import { createRequestQueue } from './http/request-queue.js';
import { createGitHubKeys } from './leaks/github/keys.js';
import { createLeaks } from './leaks/leaks.js';
import { createLog } from './log/log.js';
import { createMails, NO_MAILS } from './mail/mails.js';
import { createSmtp } from './mail/smtp.js';
import { createNotices } from './notices/notices.js';
import type { RunningServer, ServerOptions } from './options.js';
import { createPages } from './pages/pages.js';
import { createKeyring } from './sealing/keyring.js';
import { createSweeper } from './sweeper.js';
import { dateNow, type Now } from './timers.js';
import { SYSTEM } from './tokens/actor.js';
import { createLastUsed } from './tokens/last-used.js';
import { createLoginThrottle } from './users/login-throttle.js';
import { createPasswords, generatePassword } from './users/passwords.js';
import { addFirstUser } from './users/users.js';
import { createWebhooks, type WebhookOptions } from './webhooks/webhooks.js';

/** The options of `startServer`, and options for the tests of this repository. */
export interface StartOptions extends ServerOptions {
  /** Opens the database instead of the real `openDatabase`, so that a test can have a faulty database. */
  openDatabase?: typeof openDatabase;
  /** How often a stream of events has a sign of life, and how many streams there may be. */
  feed?: FeedOptions;
  /** This machine's clock, and how often it is compared with the database server's, in milliseconds. */
  clockCheck?: { now?: Now; interval?: number };
  /** Hashes passwords instead of the real Argon2id, so that a test need not wait for it. */
  passwords?: Passwords;
  /** The folder with the pages for browsers, instead of the one that the build writes. */
  pagesFolder?: string;
  /** Milliseconds in which a stop waits for requests that are under way to it. */
  lastCall?: number;
  /** Milliseconds in which a whole request must arrive. */
  requestTimeout?: number;
  /** How names are resolved and certificates checked for webhooks, and how often they are looked at. */
  webhooks?: WebhookOptions;
}

/** What the local server for tests adds to the ordinary server. */
export interface TestingHooks {
  /** Replaces dependencies that tests need to be faster, or need to control. */
  adapt(deps: Deps): void;
  before: Before;
  /** Records mails instead of sending them. */
  mails(deps: Pick<Deps, 'db' | 'now' | 'log'>): Mails;
  /** Wraps the listener that receives every request first. */
  around(accept: RequestListener): RequestListener;
  /** Ends what the hooks let requests wait for, such as a delay, so that `close` can finish. */
  release(): void;
}

/** Starts a server as `startServer` documents. The local server for tests passes `hooks`. */
export async function start(options: StartOptions, hooks?: TestingHooks): Promise<RunningServer> {
  const { now = dateNow, log: givenLog, openDatabase: open, clockCheck, passwords, lastCall, feed, ...rest } = options;
  const { webhooks: webhookOptions, pagesFolder, requestTimeout, ...given } = rest;
  const config = completeConfig(given);
  const log = givenLog ?? createLog(config.logLevel);
  const key = readAuditKey(config.auditKeyFile);

  const onWait = () => {
    log.warn({}, 'waiting for another process that migrates the database');
  };
  const onProgress = (progress: MigrationProgress) => {
    log.info(progress, 'bringing the database up to date');
  };
  const onWarning = (warning: string) => {
    log.warn({}, warning);
  };
  const opening = { ...openOptions(config), onWait, onProgress, onWarning, atCommit: createLinking(key) };
  const db = await (open ?? openDatabase)(config.database, opening);
  const events = createEvents(db, log, now, key, () => {
    webhooks.wake();
  });
  const woken = waking(db, events);
  const mails = hooks?.mails({ db: woken, now, log }) ?? (await mailsOf({ db: woken, now, config, log }));
  const keyring = createKeyring(db, config, now);
  const webhooks = createWebhooks({ db: woken, now, keyring, log, config }, webhookOptions);
  const deps: Deps = {
    db: woken,
    now,
    config,
    log,
    lastUsed: createLastUsed(db, log),
    passwords: passwords ?? createPasswords(undefined, config.workers),
    loginThrottle: createLoginThrottle(db, now),
    events,
    leaks: createLeaks({ db: woken, now, config, log, mails }),
    notices: createNotices({ db: woken, now, config, log, mails }),
    mails,
    gitHubKeys: config.githubKeysUrl === null ? null : createGitHubKeys(config.githubKeysUrl, now, log),
    keyring,
    webhooks,
    feed: createFeed({ db, now, events }, feed),
  };
  hooks?.adapt(deps);
  await deps.notices.begin();
  const sweeper = createSweeper(deps);
  const load = createLoad(log);
  const clocks = createClockCheck(db, log, clockCheck);
  const state: ServiceState = { phase: 'starting', load, clocks };
  const routes = await serveOperations(deps, createHandlers(state), hooks?.before);
  const cors = createCors(config.corsOrigins);
  const pages = createPages(config, log, pagesFolder);
  const serve = createApp(routes, pages, deps, cors).callback();
  const reject = createRejection((path) => routes.at(path)?.surface, load, cors);
  // The local server for tests never rejects a request because the request waited too long.
  const queue = createRequestQueue(serve, db.readTogether, hooks === undefined ? reject : undefined);
  const accept = hooks?.around(queue.accept) ?? queue.accept;
  const connections = createConnections({ ...queue, accept }, log, load, requestTimeout);
  try {
    await keyring.check();
    const url = await connections.listen(config);
    // Create the first user only after listening: if listening failed, the user would exist, but nobody would have seen
    // the generated password.
    const firstUser = await ensureFirstUser(deps);
    await clocks.compare();
    state.phase = 'ready';

    let closing: Promise<void> | undefined;
    const close = () => (closing ??= stop());
    async function stop(): Promise<void> {
      state.phase = 'draining';
      deps.feed.close();
      hooks?.release();
      await connections.drain({ lastCall });
      load.close();
      clocks.close();
      await sweeper.close();
      await deps.leaks.close();
      await deps.notices.close();
      await deps.mails.close();
      await deps.lastUsed.close();
      await deps.webhooks.close();
      await deps.events.close();
      await db.close();
    }
    return { url, firstUser, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    deps.feed.close();
    connections.destroy();
    load.close();
    clocks.close();
    await sweeper.close();
    await deps.leaks.close();
    await deps.notices.close();
    await deps.mails.close();
    await deps.webhooks.close();
    await deps.events.close();
    await db.close();
    throw error;
  }
}

/** Rejects with `InvalidArgument` if mails cannot be sent as the configuration says. */
async function mailsOf(deps: Pick<Deps, 'db' | 'now' | 'config' | 'log'>): Promise<Mails> {
  const { smtpUrl, smtpPasswordFile, mailFrom } = deps.config;
  if (smtpUrl === null || mailFrom === null) return NO_MAILS;
  return createMails(deps, await createSmtp({ smtpUrl, smtpPasswordFile, mailFrom }));
}

async function ensureFirstUser(deps: Deps): Promise<RunningServer['firstUser']> {
  const { adminEmail: email, adminPassword } = deps.config;
  const password = adminPassword ?? generatePassword();
  const added = await addFirstUser(deps, SYSTEM, { email, fullName: '', isAdmin: true, password });
  return added ? { email, password, generated: adminPassword === null } : null;
}
