import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type FunctionNode,
  HandleEmptyInListsPlugin,
  Kysely,
  type OperationNode,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  replaceWithNoncontingentExpression,
} from 'kysely';
import type { Queries, Schema } from '../schema.js';

/** Runs one query. */
export type Execute = (query: CompiledQuery) => Promise<QueryResult<unknown>>;

/** Kysely that hands each of its queries to `execute`. */
export function kyselyOver(execute: Execute): Queries {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driverOver(execute),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new Compiler(),
    },
    // PostgreSQL has no empty list of values.
    plugins: [new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })],
  });
}

/** What stands before and behind the last argument of a function that SQLite calls so, and PostgreSQL otherwise. */
const FUNCTIONS: Record<string, [before: string, behind: string]> = {
  hex: ['upper(encode(', ", 'hex'))"],
  // The one format that is used: 12 hexadecimal digits.
  printf: ['lpad(upper(to_hex(', ")), 12, '0')"],
};

class Compiler extends PostgresQueryCompiler {
  protected override visitFunction(node: FunctionNode): void {
    const words = FUNCTIONS[node.func];
    if (words === undefined) {
      super.visitFunction(node);
      return;
    }
    this.append(words[0]);
    this.visitNode(node.arguments.at(-1) as OperationNode);
    this.append(words[1]);
  }
}

/** Transactions are begun and ended by whoever has the connection. */
function driverOver(execute: Execute): Driver {
  const done = Promise.resolve();
  const refuse = () => Promise.reject(new TypeError('transactions begin with Database.write'));
  const connection: DatabaseConnection = {
    executeQuery: <Row>(query: CompiledQuery) => execute(query) as Promise<QueryResult<Row>>,
    streamQuery() {
      throw new TypeError('this connection does not stream');
    },
  };
  return {
    init: () => done,
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: () => done,
    destroy: () => done,
  };
}
