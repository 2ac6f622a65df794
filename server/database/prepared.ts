import type { Compilable, CompiledQuery } from 'kysely';
import type { Queries } from './schema.js';

// Kysely takes ten times as long to build and compile a query as SQLite takes to run the query. So each frequent query
// is compiled once for each engine in a process, with named placeholders where each run has its own values.

/**
 * A function that builds a query. The function is the key of the compiled query, so pass the same function each time.
 */
export type Build<Parameters, Row> = (queries: Queries, parameters: Parameters) => Compilable<Row>;

interface Template {
  query: CompiledQuery;
  /** Returns the query's parameters in their order, with what is `given` in the places of the placeholders. */
  valuesOf(given: object): unknown[];
}

class Placeholder {
  constructor(readonly name: string) {}
}

/** An object with a placeholder as the value of every property. */
const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) });

/** The compiled queries by the class of the engine's adapter, because all connections to one engine compile alike. */
const templates = new WeakMap<object, WeakMap<object, Template>>();

function templateOf<Parameters, Row>(build: Build<Parameters, Row>, queries: Queries): Template {
  const { constructor: engine } = queries.getExecutor().adapter;
  let ofEngine = templates.get(engine);
  if (ofEngine === undefined) {
    ofEngine = new WeakMap();
    templates.set(engine, ofEngine);
  }
  let template = ofEngine.get(build);
  if (template === undefined) {
    const query = build(queries, placeholders as Parameters).compile();
    template = { query, valuesOf: valuesMaker(query.parameters) };
    ofEngine.set(build, template);
  }
  return template;
}

/**
 * Returns a function that fills the placeholders among `parameters`. The names become code: they come from this program's own
 * queries.
 */
function valuesMaker(parameters: readonly unknown[]): Template['valuesOf'] {
  const values = parameters.map((parameter, index) =>
    parameter instanceof Placeholder ? `given[${JSON.stringify(parameter.name)}]` : `parameters[${String(index)}]`,
  );
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- a loop over the names would look each of them up in a table
  return new Function('parameters', `return (given) => [${values.join(', ')}]`)(parameters) as Template['valuesOf'];
}

/** Returns the compiled query of `build`, and the values of its parameters in their order. */
function prepare<Parameters extends object, Row>(
  build: Build<Parameters, Row>,
  queries: Queries,
  parameters: Parameters,
): { query: CompiledQuery; values: unknown[] } {
  const { query, valuesOf } = templateOf(build, queries);
  return { query, values: valuesOf(parameters) };
}

/**
 * Runs a compiled query on one connection, without Kysely's executor, which would take half of the time of a look-up by
 * key.
 */
export type Run = (query: CompiledQuery, parameters: readonly unknown[]) => unknown[] | Promise<unknown[]>;

/** The `Run` of each `Queries` for which `runDirectly` was called. */
const runs = new WeakMap<Queries, Run>();

/**
 * Makes `runPrepared` and `runCompiled` use `run` for `queries`. Nothing else may use the connection of `run`
 * meanwhile.
 */
export function runDirectly(queries: Queries, run: Run): void {
  runs.set(queries, run);
}

/** The `Queries` for which `sendsAhead` was called. */
const sendingAhead = new WeakSet<Queries>();

/**
 * Declares that `queries` runs all queries of a transaction in the order of their calls, and that every query behind one
 * that failed, the commit included, fails with the same error. So nobody needs to wait for a query without a result.
 */
export function sendsAhead(queries: Queries): void {
  sendingAhead.add(queries);
}

/** Runs a compiled query with `parameters` and resolves with the rows. Rejects with the engine's error. */
export async function runCompiled(
  queries: Queries,
  query: CompiledQuery,
  parameters: readonly unknown[] = query.parameters,
): Promise<unknown[]> {
  const run = runs.get(queries);
  return run === undefined ? (await queries.executeQuery({ ...query, parameters })).rows : run(query, parameters);
}

/**
 * Runs the query of `build` on `db.read` or in a transaction, and resolves with the rows. Rejects with the engine's
 * error.
 */
export async function runPrepared<Parameters extends object, Row>(
  queries: Queries,
  build: Build<Parameters, Row>,
  parameters: Parameters,
): Promise<Row[]> {
  const { query, values } = prepare(build, queries, parameters);
  return (await runCompiled(queries, query, values)) as Row[];
}

/**
 * Runs the query of `build` in a transaction, for queries whose rows nobody needs. If `trx` sends ahead, resolves at once,
 * which saves a round trip; otherwise resolves when the query has ended. Queries that run on `trx` later see what this
 * query did. If this query fails, they fail with its error, and the transaction does not commit.
 */
export async function sendPrepared<Parameters extends object>(
  trx: Queries,
  build: Build<Parameters, unknown>,
  parameters: Parameters,
): Promise<void> {
  const { query, values } = prepare(build, trx, parameters);
  const rows = runCompiled(trx, query, values);
  if (sendingAhead.has(trx)) rows.catch(() => undefined);
  else await rows;
}

/**
 * Runs the query of `build` as `sendPrepared` does, for a query whose rows nobody needs before the commit. If the query fails,
 * `rows` rejects, unless this function does.
 */
export async function runAhead<Parameters extends object, Row>(
  trx: Queries,
  build: Build<Parameters, Row>,
  parameters: Parameters,
): Promise<{ rows: Promise<Row[]> }> {
  const rows = runPrepared(trx, build, parameters);
  if (sendingAhead.has(trx)) rows.catch(() => undefined);
  else await rows;
  return { rows };
}
