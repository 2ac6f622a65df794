import type { Socket } from 'node:net';
import { setTimeout } from '../timers.js';
import { stopReading } from './reading.js';

/** Stops reading from clients for a while whose requests were rejected, because they would ask again at once. */
export interface Rest {
  /** Tells that a request of this connection was rejected in this turn. */
  add(socket: Socket): void;
  /** Stops reading from these connections for a while. Call it in the next turn, when the rejections are sent. */
  begin(): void;
}

/**
 * Creates a rest for connections. A connection rests `forEach` milliseconds for each rejection of the same turn, at least a
 * fifth of `longest` and at most `longest`. So the process spends a bounded part of its time on rejections.
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
