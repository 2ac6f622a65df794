import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  FunctionNode,
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

/** Creates a Kysely that runs each query by `execute`. */
export function kyselyOver(execute: Execute): Queries {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driverOver(execute),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new Compiler(),
    },
    // PostgreSQL does not allow an empty list of values.
    plugins: [new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })],
  });
}

/**
 * For each function that PostgreSQL names differently: the text before and after its last argument. Where SQLite compares the
 * hexadecimal digits of 6 bytes, PostgreSQL compares the bytes: changing the case of a text takes it microseconds.
 */
const FUNCTIONS: Record<string, [before: string, behind: string]> = {
  hex: ['', ''],
  // The only format in use is 12 hexadecimal digits.
  printf: ['substr(int8send(', '), 3)'],
};

/** `lower(hex())`: PostgreSQL's digits are in lower case. */
const LOWER_HEX: [before: string, behind: string] = ['encode(', ", 'hex')"];

class Compiler extends PostgresQueryCompiler {
  protected override visitFunction(node: FunctionNode): void {
    const inner = node.func === 'lower' ? node.arguments[0] : undefined;
    if (inner !== undefined && FunctionNode.is(inner) && inner.func === 'hex') {
      this.#visitArgument(inner, LOWER_HEX);
      return;
    }
    const words = FUNCTIONS[node.func];
    if (words === undefined) super.visitFunction(node);
    else this.#visitArgument(node, words);
  }

  #visitArgument({ arguments: given }: FunctionNode, [before, behind]: [before: string, behind: string]): void {
    this.append(before);
    this.visitNode(given.at(-1) as OperationNode);
    this.append(behind);
  }
}

/** A driver without transactions: the owner of the connection begins and ends them. */
function driverOver(execute: Execute): Driver {
  const done = Promise.resolve();
  const reject = () => Promise.reject(new TypeError('transactions begin with Database.write'));
  const connection: DatabaseConnection = {
    executeQuery: <Row>(query: CompiledQuery) => execute(query) as Promise<QueryResult<Row>>,
    streamQuery() {
      throw new TypeError('this connection does not stream');
    },
  };
  return {
    init: () => done,
    acquireConnection: () => Promise.resolve(connection),
    beginTransaction: reject,
    commitTransaction: reject,
    rollbackTransaction: reject,
    releaseConnection: () => done,
    destroy: () => done,
  };
}
