import type { Socket } from 'node:net';
import { setTimeout } from '../timers.js';
import { stopReading } from './reading.js';

/** Clients whose requests were rejected, and which ask again at once. */
export interface Rest {
  /** Says that a request of this connection was rejected in this turn. */
  add(socket: Socket): void;
  /** Reads nothing from these connections for a while. Called in the next turn, once the rejections have left. */
  begin(): void;
}

/**
 * A connection rests `forEach` milliseconds for each rejection of the same turn, so that the time for rejecting has a bound,
 * but at least a fifth of `longest` and at most `longest`.
 */
export function createRest({ forEach, longest }: { forEach: number; longest: number }): Rest {
  let rejections = 0;
  let sockets = new Set<Socket>();
  return {
    add(socket) {
      rejections++;
      sockets.add(socket);
    },
    begin() {
      if (rejections === 0) return;
      const goOn = [...sockets].map((socket) => stopReading(socket));
      const milliseconds = Math.min(Math.max(rejections * forEach, longest / 5), longest);
      rejections = 0;
      sockets = new Set();
      setTimeout(() => {
        for (const each of goOn) each();
      }, milliseconds);
    },
  };
}
