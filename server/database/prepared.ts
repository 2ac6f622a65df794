import type { Compilable, CompiledQuery } from 'kysely';
import type { Run } from './dialect.js';
import type { Queries } from './schema.js';

// Building a query and making SQL of it takes Kysely ten times as long as SQLite takes to run it. What is asked often is
// built once in a process, with names where each asking has its values.

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

const templates = new WeakMap<object, Template>();

/** All connections have the same schema and dialect, and compile alike. */
function templateOf<Parameters, Row>(build: Build<Parameters, Row>, queries: Queries): Template {
  let template = templates.get(build);
  if (template === undefined) {
    const query = build(queries, placeholders as Parameters).compile();
    template = { query, places: query.parameters };
    templates.set(build, template);
  }
  return template;
}

/** The query that `build` makes, and its parameters in the order of their places. */
export function prepare<Parameters extends object, Row>(
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

/** How a transaction's queries run past Kysely's executor, where its engine has such a way. */
const runs = new WeakMap<Queries, Run>();

/** For as long as `trx` has its connection for itself. */
export function runDirectly(trx: Queries, run: Run): void {
  runs.set(trx, run);
}

/** Runs a compiled query as part of a transaction. */
export async function runCompiled(
  trx: Queries,
  query: CompiledQuery,
  parameters: readonly unknown[] = query.parameters,
): Promise<unknown[]> {
  const run = runs.get(trx);
  return run === undefined ? (await trx.executeQuery({ ...query, parameters })).rows : run(query, parameters);
}

/** Runs what `build` makes as part of a transaction. */
export async function runPrepared<Parameters extends object, Row>(
  trx: Queries,
  build: Build<Parameters, Row>,
  parameters: Parameters,
): Promise<Row[]> {
  const { query, values } = prepare(build, trx, parameters);
  return (await runCompiled(trx, query, values)) as Row[];
}
