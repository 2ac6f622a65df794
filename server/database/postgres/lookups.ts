import type { Client } from 'pg';
import { clearTimeout, performanceNow, setTimeout, sleep } from '../../timers.js';
import { StorageFault, WriteQueueFull } from '../faults.js';
import type { Run } from '../prepared.js';
import { ConnectionLost, IsStandby, toFault } from './faults.js';
import type { Ask } from './named-query.js';
import { connect, cut, type PostgresSettings } from './session.js';

/** Look-ups under way on one connection, so that a server that hangs fills no memory. */
const MOST_UNDER_WAY = 5_000;
/** Milliseconds in which a look-up that lost its connection is made once more. */
const REPEATED_WITHIN = 1_000;
/** Milliseconds between two attempts to connect. */
const PAUSE = 50;

/**
 * Look-ups that share two connections: each is sent at once, and the server answers in their order. While one connection
 * is made anew the other serves, and the server works for each in a process of its own.
 */
export interface Lookups {
  run: Run;
  close(): Promise<void>;
}

interface Line {
  client: Client | undefined;
  underWay: number;
  connecting: Promise<Client> | undefined;
  /** When the last attempt to connect failed, in the monotonic clock's milliseconds. */
  failedAt: number;
}

function createLine(): Line {
  return { client: undefined, underWay: 0, connecting: undefined, failedAt: Number.NEGATIVE_INFINITY };
}

export function createLookups(settings: PostgresSettings, ask: Ask): Lookups {
  const lines: [Line, Line] = [createLine(), createLine()];
  let closed = false;

  /** A connected line before one that is not, and of those the one with less to do. */
  function nextLine(): Line {
    const [first, second] = lines;
    if ((first.client === undefined) !== (second.client === undefined)) {
      const [up, down] = first.client === undefined ? [second, first] : [first, second];
      void reconnect(down).catch(() => undefined);
      return up;
    }
    return first.underWay <= second.underWay ? first : second;
  }

  function reconnect(line: Line): Promise<Client> {
    if (line.connecting !== undefined) return line.connecting;
    if (closed) return Promise.reject(new ConnectionLost('the database was closed'));
    line.connecting = connectAfter(line.failedAt + PAUSE).then(
      (client) => {
        line.connecting = undefined;
        if (closed) {
          cut(client);
          throw new ConnectionLost('the database was closed');
        }
        line.client = client;
        client.once('end', () => {
          if (line.client === client) line.client = undefined;
        });
        return client;
      },
      (error: unknown) => {
        const fault = error instanceof Error ? error : new ConnectionLost(String(error));
        line.connecting = undefined;
        line.failedAt = performanceNow();
        throw fault;
      },
    );
    return line.connecting;
  }

  async function connectAfter(moment: number): Promise<Client> {
    const wait = moment - performanceNow();
    if (wait > 0) await sleep(wait);
    return await connect(settings);
  }

  async function askOn(line: Line, ...query: Parameters<Run>): Promise<unknown[]> {
    if (line.underWay >= MOST_UNDER_WAY) throw new WriteQueueFull('too many look-ups wait');
    line.underWay++;
    try {
      const client = line.client ?? (await reconnect(line));
      try {
        return await ask(client, ...query);
      } catch (error) {
        const fault = toFault(error);
        if (fault instanceof ConnectionLost) {
          if (line.client === client) line.client = undefined;
          cut(client);
        }
        throw fault;
      }
    } finally {
      line.underWay--;
    }
  }

  return {
    async run(query, parameters) {
      const begin = performanceNow();
      const line = nextLine();
      try {
        return await askOn(line, query, parameters);
      } catch (error) {
        // It changes nothing, so it can be made again. Where it waited for long, its caller has waited enough.
        const lost = error instanceof ConnectionLost && !(error instanceof IsStandby);
        if (!lost || closed || performanceNow() - begin > REPEATED_WITHIN) throw error;
      }
      // Not on the other one, which may have ended with this one: here a new connection is made first.
      return await askOn(line, query, parameters);
    },
    async close() {
      closed = true;
      for (const { client } of lines) await client?.end();
    },
  };
}

/** Rejects with `StorageFault` where `answer` takes longer than `milliseconds`. */
export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new StorageFault(`PostgreSQL did not answer within ${String(milliseconds)} ms`));
    }, milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
