import type { Compilable, CompiledQuery } from 'kysely';
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

/** As part of a transaction. */
export async function runPrepared<Parameters extends object, Row>(
  trx: Queries,
  build: Build<Parameters, Row>,
  parameters: Parameters,
): Promise<Row[]> {
  const { query, values } = prepare(build, trx, parameters);
  const { rows } = await trx.executeQuery<Row>({ ...query, parameters: values });
  return rows;
}
