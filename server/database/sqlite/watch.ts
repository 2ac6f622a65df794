import { clearInterval, setInterval } from '../../timers.js';
import type { Watch } from '../watch.js';
import type { Connection } from './driver.js';

/** Milliseconds between two looks. A look takes some microseconds. */
const LOOK = 25;

/** Watches a file for commits by any connection but `connection`. */
export function createWatch(connection: Connection): Watch {
  return (listener) => {
    // SQLite changes this number when another connection has committed.
    const version = connection.prepare('pragma data_version').pluck();
    let seen = version.get();
    const timer = setInterval(() => {
      if (!connection.open) return;
      const now = version.get();
      if (now === seen) return;
      seen = now;
      listener();
    }, LOOK).unref();
    return () => {
      clearInterval(timer);
    };
  };
}
