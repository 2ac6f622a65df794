/**
 * Calls `listener` when another process may have linked events: on SQLite within 25 milliseconds of any commit; on PostgreSQL
 * when a process announces it, and every second. It may call for no reason. Returns a function that ends the watch.
 */
export type Watch = (listener: () => void) => () => void;

/** The watch of a database that only this process uses. */
export const watchNothing: Watch = () => () => undefined;
