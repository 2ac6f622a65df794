import type { CompiledQuery } from 'kysely';
import type { ClientBase } from 'pg';
import { setImmediate } from '../../timers.js';
import { parserOf } from './session.js';
import { isPlain, type PlainValue, type Statement, statementOf, toWireValue } from './statements.js';

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

interface Field {
  name: string;
  dataTypeID: number;
}

const NO_ROWS: Shape = { names: [], parsers: [], empty: {} };

/**
 * Returns an `Ask`, which names statements if `prepare` is true. The driver itself would ask for the description of a
 * statement's columns at every run, which takes half of the time of a look-up. This function asks once for each connection,
 * because the columns of a prepared statement never change.
 */
export function createAsk({ Query }: Driver, prepare: boolean): Ask {
  const shapes = new WeakMap<Connection, Map<string, Shape>>();

  function shapesOf(connection: Connection): Map<string, Shape> {
    let known = shapes.get(connection);
    if (known === undefined) {
      known = new Map();
      shapes.set(connection, known);
    }
    return known;
  }

  class NamedQuery extends (Query as unknown as new (text: string) => DriverQuery) {
    readonly found: Row[] = [];
    #shape: Shape | undefined;
    #known: Map<string, Shape> | undefined;

    constructor({ name, text, values }: Required<Statement>, callback: (error: Error | null, rows: Row[]) => void) {
      super(text);
      this.name = name;
      this.values = values as PlainValue[];
      this.callback = (error) => {
        callback(error, this.found);
      };
    }

    override submit(connection: Connection): Error | null {
      this.#known = shapesOf(connection);
      this.#shape = this.#known.get(this.name);
      if (this.#shape === undefined) return super.submit(connection);
      connection.bind({ statement: this.name, values: this.values, valueMapper: toWireValue });
      connection.execute({});
      connection.sync();
      return null;
    }

    handleRowDescription({ fields }: { fields: Field[] }): void {
      const names = fields.map(({ name }) => name);
      this.#shape = {
        names,
        parsers: fields.map(({ dataTypeID }) => parserOf(dataTypeID)),
        empty: Object.fromEntries(names.map((name) => [name, null])),
      };
    }

    handleDataRow({ fields: texts }: { fields: (string | null)[] }): void {
      const { names, parsers, empty } = this.#shape ?? NO_ROWS;
      const row = { ...empty };
      for (let index = 0; index < names.length; index++) {
        const text = texts[index];
        if (text != null) row[names[index] as string] = parsers[index]?.(text);
      }
      this.found.push(row);
    }

    handleCommandComplete(): void {
      this.#known?.set(this.name, this.#shape ?? NO_ROWS);
    }

    handleReadyForQuery(): void {
      this.callback(null);
    }
  }

  return (client, query, parameters) => {
    writeTogether(client);
    const statement = statementOf(query, parameters, prepare);
    if (statement.name === undefined || !parameters.every(isPlain)) {
      return client.query<Row>(statement).then(({ rows }) => rows);
    }
    const { name, text, values } = statement;
    return new Promise((resolve, reject) => {
      const named = new NamedQuery({ name, text, values }, (error, rows) => {
        if (error === null) resolve(rows);
        else reject(error);
      });
      void client.query(named as unknown as Parameters<ClientBase['query']>[0]);
    });
  };
}

/** The connections whose messages wait for the end of this turn of the event loop. */
const corked = new Set<Corkable>();

/** Sends everything that is written on a connection in this turn of the event loop with one system call. */
export function writeTogether(client: ClientBase): void {
  const { stream } = (client as unknown as { connection: Connection }).connection;
  if (corked.has(stream)) return;
  if (corked.size === 0) setImmediate(uncorkAll);
  corked.add(stream);
  stream.cork();
}

function uncorkAll(): void {
  for (const stream of corked) stream.uncork();
  corked.clear();
}
