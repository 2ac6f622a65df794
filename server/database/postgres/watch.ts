import type { Client } from 'pg';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../../timers.js';
import { CHANNEL } from '../announce.js';
import type { Watch } from '../watch.js';
import { connect, cut, type PostgresSettings } from './session.js';

/** Milliseconds after which events are looked for in any case: a connection may be lost, and some poolers forward no announcement. */
const NET = 1_000;

/** Watches for announcements on one connection, which is open while anybody watches. */
export function createWatch(settings: PostgresSettings): { watch: Watch; close(): void } {
  const listeners = new Set<() => void>();
  let ending: (() => void) | undefined;

  const tell = () => {
    for (const listener of listeners) listener();
  };

  /** Listens until the returned function is called. */
  function listen(): () => void {
    let client: Client | undefined;
    let retry: NodeJS.Timeout | undefined;
    let ended = false;
    const isEnded = () => ended;

    async function open(): Promise<void> {
      try {
        const opened = await connect(settings);
        if (isEnded()) {
          cut(opened);
          return;
        }
        client = opened;
        opened.on('notification', tell);
        opened.once('end', again);
        await opened.query(`listen ${CHANNEL}`);
        // Something may have been announced while nobody listened.
        tell();
      } catch {
        if (client !== undefined) cut(client);
        else again();
      }
    }

    function again(): void {
      client = undefined;
      if (!ended) retry = setTimeout(() => void open(), NET).unref();
    }

    void open();
    const net = setInterval(tell, NET).unref();
    return () => {
      ended = true;
      clearInterval(net);
      clearTimeout(retry);
      if (client !== undefined) cut(client);
    };
  }

  return {
    watch(listener) {
      // A function of its own, because the same listener may watch twice.
      const own = () => {
        listener();
      };
      listeners.add(own);
      ending ??= listen();
      return () => {
        listeners.delete(own);
        if (listeners.size > 0) return;
        ending?.();
        ending = undefined;
      };
    },
    close() {
      listeners.clear();
      ending?.();
      ending = undefined;
    },
  };
}
