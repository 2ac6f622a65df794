import type { Client } from 'pg';
import type { Row, RowReader } from '../rows.js';
import { kyselyOver } from './dialect.js';
import { toFault } from './faults.js';
import { WITHOUT_TIMEOUT } from './session.js';

/** A Kysely that only compiles queries. */
const compiling = kyselyOver(() => Promise.reject(new TypeError('this Kysely only compiles')));

/** Reads on one connection, without a time-out of the driver. */
export function readerOver(client: Client): RowReader {
  return {
    async run(query) {
      const { sql, parameters } = query.compile(compiling);
      return await rowsOf(client, sql, parameters);
    },
  };
}

export async function rowsOf(client: Client, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    const query = { text, values: values as unknown[], rowMode: 'array' as const, ...WITHOUT_TIMEOUT };
    return (await client.query<unknown[]>(query)).rows;
  } catch (error) {
    throw toFault(error);
  }
}
