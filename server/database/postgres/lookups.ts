import type { Client } from 'pg';
import { clearTimeout, performanceNow, setTimeout, sleep } from '../../timers.js';
import { StorageFault, WriteQueueFull } from '../faults.js';
import type { Run } from '../prepared.js';
import { ConnectionLost, IsStandby, NotRun, toFault } from './faults.js';
import { type Ask, sendAsked } from './named-query.js';
import { connect, cut, type PostgresSettings } from './session.js';

/** The most look-ups in flight on one connection, so that a server that hangs cannot fill the memory. */
const MOST_UNDER_WAY = 5_000;
/** A look-up whose connection is lost within this number of milliseconds is sent once more. */
const REPEATED_WITHIN = 1_000;
/** Milliseconds between two attempts to connect. */
const PAUSE = 50;

/**
 * Creates look-ups that share two connections. Each look-up is sent at once, and the server answers in order. While one
 * connection is opened again, the other one serves. The server has a process for each connection.
 */
export interface Lookups {
  run: Run;
  close(): Promise<void>;
}

interface Line {
  client: Client | undefined;
  underWay: number;
  connecting: Promise<Client> | undefined;
  /** When the last attempt to connect failed, in milliseconds of the monotonic clock. */
  failedAt: number;
}

function createLine(): Line {
  return { client: undefined, underWay: 0, connecting: undefined, failedAt: Number.NEGATIVE_INFINITY };
}

export function createLookups(settings: PostgresSettings, ask: Ask): Lookups {
  const lines: [Line, Line] = [createLine(), createLine()];
  let closed = false;

  /** Chooses a connected line if there is one, and of several the one with fewer look-ups in flight. */
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
        return await askTwice(client, query);
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

  /** Asks again if another look-up of the same batch failed, now in a batch of its own: many may fail, one after another. */
  async function askTwice(client: Client, query: Parameters<Run>): Promise<unknown[]> {
    try {
      return await ask(client, ...query);
    } catch (error) {
      if (!(error instanceof NotRun) || toFault(error) instanceof ConnectionLost) throw error;
    }
    sendAsked(client);
    const answer = ask(client, ...query);
    sendAsked(client);
    return await answer;
  }

  return {
    run(query, parameters) {
      const line = nextLine();
      // Repeated on this line, which opens a new connection first. The other connection may have ended too.
      return repeatedOnce(() => askOn(line, query, parameters));
    },
    async close() {
      closed = true;
      for (const { client } of lines) {
        if (client !== undefined) sendAsked(client);
        await client?.end();
      }
    },
  };
}

/**
 * Runs `read`, which must change nothing, and runs it once more if its connection ended. If that took long, the caller has
 * waited enough, and gets the error.
 */
export async function repeatedOnce<T>(read: () => Promise<T>): Promise<T> {
  const begin = performanceNow();
  try {
    return await read();
  } catch (error) {
    const isLost = error instanceof ConnectionLost && !(error instanceof IsStandby);
    if (!isLost || performanceNow() - begin > REPEATED_WITHIN) throw error;
  }
  return await read();
}

/** Rejects with `StorageFault` if `answer` takes longer than `milliseconds`. */
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
