import { LatchkeyError, type Me } from '../../client/index.js';
import { hush } from './announce.js';
import { Explained } from './explained.js';
import { lk } from './service.js';
import { createStore } from './store.js';
import * as words from './words.js';

// Who is logged in. Nothing secret is stored: the browser keeps the session in cookies that no script can read.

export type Session =
  | { state: 'starting' }
  | { state: 'out' }
  | { state: 'failed'; error: unknown }
  | { state: 'in'; me: Me; scopes: readonly string[] };

const session = createStore<Session>({ state: 'starting' });
export const useSession = (): Session => session.use();

/** The user of a page that is only shown to users. */
export function useMe(): Extract<Session, { state: 'in' }> {
  const current = session.use();
  if (current.state !== 'in') throw new TypeError('nobody is logged in');
  return current;
}

/** A call that waits until its user has logged in again. */
interface Waiting {
  resume(): void;
  giveUp(): void;
}
const waiting = createStore<Waiting | undefined>(undefined);
export const useWaiting = (): Waiting | undefined => waiting.use();

/** Whether this browser may have a session, so that a first visit asks nothing in vain. */
const HINT = 'latchkey.session';
const tabs = new BroadcastChannel('latchkey');

tabs.addEventListener('message', ({ data }) => {
  if (data === 'out') leave();
  else void load();
});

export async function start(): Promise<void> {
  if (localStorage.getItem(HINT) === null) session.set({ state: 'out' });
  else await load();
}

async function load(): Promise<void> {
  try {
    const [me, token] = await Promise.all([lk.getMe(), lk.getCurrentAccessToken()]);
    session.set({ state: 'in', me, scopes: token.scopes });
    waiting.get()?.resume();
  } catch (error) {
    if (isUnauthorized(error)) leave();
    else session.set({ state: 'failed', error });
  }
}

/** Opens a session. Rejects as `openBrowserSession` does, and with `Explained` if the browser does not
 * keep the cookies. */
export async function logIn(username: string, password: string): Promise<void> {
  await lk.openBrowserSession({ body: { username, password } });
  localStorage.setItem(HINT, '1');
  await load();
  if (session.get().state === 'out') throw new Explained(words.login.noCookies);
  tabs.postMessage('in');
}

export async function logOut(): Promise<void> {
  try {
    await lk.logOut();
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
  }
  tabs.postMessage('out');
  leave();
}

function leave(): void {
  localStorage.removeItem(HINT);
  waiting.get()?.giveUp();
  hush();
  session.set({ state: 'out' });
}

/**
 * Makes a call. If the session has ended, asks the user to log in again, and repeats the call, so that nothing that was
 * typed is lost. Rejects with the call's error if the user does not.
 */
export async function ask<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isUnauthorized(error) || session.get().state !== 'in' || !(await loggedInAgain())) throw error;
    return await call();
  }
}

let again: Promise<boolean> | undefined;

function loggedInAgain(): Promise<boolean> {
  again ??= new Promise<boolean>((resolve) => {
    waiting.set({
      resume: () => {
        resolve(true);
      },
      giveUp: () => {
        resolve(false);
      },
    });
  }).finally(() => {
    again = undefined;
    waiting.set(undefined);
  });
  return again;
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof LatchkeyError && error.code === 'unauthorized';
}
