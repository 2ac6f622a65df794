import type { Compilable, CompiledQuery } from 'kysely';
import type { Queries } from './schema.js';

// Building a query and making SQL of it takes Kysely ten times as long as SQLite takes to run it. What is asked often is
// built once for each engine in a process, with names where each asking has its values.

/** A query by its parameters. Its function is what it is known by, so it must be the same one each time. */
export type Build<Parameters, Row> = (queries: Queries, parameters: Parameters) => Compilable<Row>;

/** A query for `Parameters`, compiled, with what belongs at each of its places. */
interface Template {
  query: CompiledQuery;
  places: readonly unknown[];
}

class Placeholder {
  constructor(readonly name: string) {}
}

/** Has a placeholder for every name. */
const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) });

/** By the class of the engine's adapter: all connections to one engine compile alike, and another engine's otherwise. */
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
    template = { query, places: query.parameters };
    ofEngine.set(build, template);
  }
  return template;
}

/** The query that `build` makes, and its parameters in the order of their places. */
function prepare<Parameters extends object, Row>(
  build: Build<Parameters, Row>,
  queries: Queries,
  parameters: Parameters,
): { query: CompiledQuery; values: unknown[] } {
  const { query, places } = templateOf(build, queries);
  const values = places.map((place) =>
    place instanceof Placeholder ? parameters[place.name as keyof Parameters] : place,
  );
  return { query, values };
}

/** Runs a compiled query on one connection, without Kysely's executor, which takes half the time of a look-up by key. */
export type Run = (query: CompiledQuery, parameters: readonly unknown[]) => unknown[] | Promise<unknown[]>;

/** The direct way of those `Queries` that have one. */
const runs = new WeakMap<Queries, Run>();

/** Makes `runPrepared` and `runCompiled` use `run` for `queries`. Nothing else may use that connection meanwhile. */
export function runDirectly(queries: Queries, run: Run): void {
  runs.set(queries, run);
}

/** Runs a compiled query and resolves with its rows. */
export async function runCompiled(
  queries: Queries,
  query: CompiledQuery,
  parameters: readonly unknown[] = query.parameters,
): Promise<unknown[]> {
  const run = runs.get(queries);
  return run === undefined ? (await queries.executeQuery({ ...query, parameters })).rows : run(query, parameters);
}

/** Runs the query that `build` makes, on `db.read` or in a transaction, and resolves with its rows. */
export async function runPrepared<Parameters extends object, Row>(
  queries: Queries,
  build: Build<Parameters, Row>,
  parameters: Parameters,
): Promise<Row[]> {
  const { query, values } = prepare(build, queries, parameters);
  return (await runCompiled(queries, query, values)) as Row[];
}
