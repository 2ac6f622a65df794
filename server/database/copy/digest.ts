import { createHash } from 'node:crypto';
import type { Row } from '../rows.js';
import { type Kind, type TableName, tableOf } from '../tables.js';
import { UnusableDatabase } from '../unusable.js';

/** How many rows a table has, and a digest of all of them. */
export interface TableContent {
  rows: number;
  /** SHA-256 in hexadecimal digits. */
  digest: string;
}

/** The content of a database by the names of its tables, in the order of `tableNames`. */
export type DatabaseContent = Record<string, TableContent>;

interface ContentDigest {
  /** Throws `UnusableDatabase` for a value that its column must not have. */
  add(rows: readonly Row[]): void;
  content(): TableContent;
}

/**
 * Digests a table's rows, given in the order of its key. Each row is a JSON array of its values in the order of the
 * table's columns, with bytes as hexadecimal digits, and a line feed behind it. So the digest is the same on both engines.
 */
export function createContentDigest(name: TableName): ContentDigest {
  const columns = Object.entries(tableOf(name).columns);
  const hash = createHash('sha256');
  let count = 0;

  function lineOf(row: Row): string {
    const values = columns.map(([column, kind], place) => {
      const value = encoded(kind, row[place]);
      if (value === undefined)
        throw new UnusableDatabase(`a row of ${name} has a ${column} that is not ${KINDS[kind]}`);
      return value;
    });
    return `${JSON.stringify(values)}\n`;
  }

  return {
    add(rows) {
      count += rows.length;
      hash.update(rows.map(lineOf).join(''));
    },
    content: () => ({ rows: count, digest: hash.digest('hex') }),
  };
}

const KINDS: Record<Kind, string> = {
  integer: 'an integer below 2^53',
  text: 'a text without the character U+0000',
  bytes: 'bytes',
};

/** Undefined for a value of another kind, which a column of SQLite can have. PostgreSQL cannot store U+0000 in a text. */
function encoded(kind: Kind, value: unknown): string | number | null | undefined {
  if (value === null) return null;
  switch (kind) {
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
    case 'text':
      return typeof value === 'string' && !value.includes('\0') ? value : undefined;
    case 'bytes':
      return Buffer.isBuffer(value) ? value.toString('hex') : undefined;
  }
}
