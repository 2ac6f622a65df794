import type { CompiledQuery } from 'kysely';
import type { ClientBase } from 'pg';
import { setImmediate } from '../../timers.js';
import { StorageFault } from '../faults.js';
import { NotRun } from './faults.js';
import { parserOf } from './session.js';
import { isPlain, type PlainValue, statementOf, toWireValue } from './statements.js';

type Driver = typeof import('pg');
type Row = Record<string, unknown>;

/** Runs a query on one connection and resolves with its rows. */
export type Ask = (client: ClientBase, query: CompiledQuery, parameters: readonly unknown[]) => Promise<Row[]>;

/** The part of the driver's connection that this file uses. The driver's packages for cursors and streams use it too. */
interface Connection {
  stream: Corkable;
  bind(binding: { statement: string; values: PlainValue[]; valueMapper: typeof toWireValue }): void;
  execute(portal: object): void;
  sync(): void;
}

interface Corkable {
  cork(): void;
  uncork(): void;
}

/** The driver's class of a query. The driver's types describe only a part of it. */
interface DriverQuery {
  name: string;
  values: PlainValue[];
  callback: (error: Error | null) => void;
  submit(connection: Connection): Error | null;
}

/** The columns of a statement's rows, and how to parse them. */
interface Shape {
  names: string[];
  parsers: ((text: string) => unknown)[];
  /** A row with every column, so that V8 gives all rows one hidden class. */
  empty: Row;
}

interface Completed {
  text: string;
}

interface Field {
  name: string;
  dataTypeID: number;
}

/** A statement that was asked, and what waits for its rows. */
interface Asked {
  name: string;
  values: PlainValue[];
  shape: Shape;
  rows: Row[];
  /** What the server calls the statement when it has ended. */
  command: string;
  resolve: (rows: Row[]) => void;
  reject: (error: unknown) => void;
}

/** What the server answers to a commit if a statement of the transaction failed. */
const ROLLED_BACK = 'ROLLBACK';
const NO_ROWS: Shape = { names: [], parsers: [], empty: {} };

/** What is written on a connection in this turn of the event loop. */
interface Outgoing {
  stream: Corkable;
  /** The statements that were asked since the last other query. */
  batch: Batch | undefined;
}

/** A query of the driver that runs several statements. */
interface Batch extends DriverQuery {
  add(asked: Asked): void;
}

const outgoing = new Map<ClientBase, Outgoing>();

/**
 * Holds back what is written on a connection until the end of this turn of the event loop, so that one system call sends all of
 * it.
 */
function outgoingOn(client: ClientBase): Outgoing {
  let held = outgoing.get(client);
  if (held === undefined) {
    held = { stream: connectionOf(client).stream, batch: undefined };
    if (outgoing.size === 0) setImmediate(sendAll);
    outgoing.set(client, held);
    held.stream.cork();
  }
  return held;
}

function sendAll(): void {
  for (const [client, { stream }] of outgoing) {
    sendAsked(client);
    stream.uncork();
  }
  outgoing.clear();
}

/** Sends the statements that were asked until now. Call it before any other query on the connection, which runs behind them. */
export function sendAsked(client: ClientBase): void {
  const held = outgoing.get(client);
  if (held?.batch === undefined) return;
  const { batch } = held;
  held.batch = undefined;
  void client.query(batch as unknown as Parameters<ClientBase['query']>[0]);
}

function connectionOf(client: ClientBase): Connection {
  return (client as unknown as { connection: Connection }).connection;
}

/**
 * Returns an `Ask`, which names statements if `prepare` is true. Named statements cost less than the driver's own:
 *
 * - The columns of a statement are described once for each connection, because they never change. The driver would ask for
 *   them at every run, which takes half of the time of a look-up.
 * - All statements of a turn of the event loop are one batch, to which the server answers with one message. If one of them
 *   fails, the server does not run those behind it: they reject with `NotRun`.
 *
 * A commit of a transaction that failed before rejects with `StorageFault`, although the server calls it no error.
 */
export function createAsk({ Query }: Driver, prepare: boolean): Ask {
  const BaseQuery = Query as unknown as new (text: string) => DriverQuery;
  const shapes = new WeakMap<Connection, Map<string, Shape>>();

  function shapesOf(connection: Connection): Map<string, Shape> {
    let known = shapes.get(connection);
    if (known === undefined) {
      known = new Map();
      shapes.set(connection, known);
    }
    return known;
  }

  /** The first run of a statement on a connection, which finds out its columns. */
  class FirstRun extends BaseQuery {
    readonly #asked: Asked;
    readonly #known: Map<string, Shape>;

    constructor(text: string, asked: Asked, known: Map<string, Shape>) {
      super(text);
      this.#asked = asked;
      this.#known = known;
      this.name = asked.name;
      this.values = asked.values;
      this.callback = (error) => {
        if (error === null) settle(asked);
        else asked.reject(error);
      };
    }

    handleRowDescription({ fields }: { fields: Field[] }): void {
      this.#asked.shape = shapeOf(fields);
    }

    handleDataRow({ fields }: { fields: (string | null)[] }): void {
      addRow(this.#asked, fields);
    }

    handleCommandComplete({ text }: Completed): void {
      this.#asked.command = text;
      this.#known.set(this.#asked.name, this.#asked.shape);
    }

    handleReadyForQuery(): void {
      this.callback(null);
    }
  }

  class BatchQuery extends BaseQuery implements Batch {
    readonly #all: Asked[] = [];
    #answered = 0;

    constructor() {
      super('');
      this.callback = (error) => {
        for (const [index, asked] of this.#all.entries()) {
          if (index < this.#answered) settle(asked);
          else asked.reject(index === this.#answered ? error : new NotRun(error));
        }
      };
    }

    add(asked: Asked): void {
      this.#all.push(asked);
    }

    override submit(connection: Connection): null {
      for (const { name, values } of this.#all) {
        connection.bind({ statement: name, values, valueMapper: toWireValue });
        connection.execute({});
      }
      connection.sync();
      return null;
    }

    handleDataRow({ fields }: { fields: (string | null)[] }): void {
      addRow(this.#all[this.#answered] as Asked, fields);
    }

    handleCommandComplete({ text }: Completed): void {
      (this.#all[this.#answered] as Asked).command = text;
      this.#answered++;
    }

    handleReadyForQuery(): void {
      this.callback(null);
    }
  }

  return (client, query, parameters) => {
    const held = outgoingOn(client);
    const { name, ...statement } = statementOf(query, parameters, prepare);
    if (name === undefined || !parameters.every(isPlain)) {
      sendAsked(client);
      return client.query<Row>({ ...statement, name }).then(({ rows, command }) => {
        if (command === ROLLED_BACK) throw notCommitted();
        return rows;
      });
    }
    return new Promise((resolve, reject) => {
      const known = shapesOf(connectionOf(client));
      const shape = known.get(name);
      const values = parameters as PlainValue[];
      const asked = { name, values, shape: shape ?? NO_ROWS, rows: [], command: '', resolve, reject };
      if (shape !== undefined) {
        held.batch ??= new BatchQuery();
        held.batch.add(asked);
        return;
      }
      sendAsked(client);
      const first = new FirstRun(statement.text, asked, known);
      void client.query(first as unknown as Parameters<ClientBase['query']>[0]);
    });
  };
}

function notCommitted(): StorageFault {
  return new StorageFault('the transaction could not be committed');
}

function settle({ rows, command, resolve, reject }: Asked): void {
  if (command === ROLLED_BACK) reject(notCommitted());
  else resolve(rows);
}

function shapeOf(fields: readonly Field[]): Shape {
  const names = fields.map(({ name }) => name);
  return {
    names,
    parsers: fields.map(({ dataTypeID }) => parserOf(dataTypeID)),
    empty: Object.fromEntries(names.map((name) => [name, null])),
  };
}

function addRow({ shape: { names, parsers, empty }, rows }: Asked, texts: readonly (string | null)[]): void {
  const row = { ...empty };
  for (let index = 0; index < names.length; index++) {
    const text = texts[index];
    if (text != null) row[names[index] as string] = parsers[index]?.(text);
  }
  rows.push(row);
}
