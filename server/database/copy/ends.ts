import type { RawBuilder } from 'kysely';
import type { TableName } from './tables.js';

/** The values of a row, in the order of its table's columns. */
export type Row = readonly unknown[];

/** A database in one transaction, whose rows are read. */
export interface CopySource {
  /** The path, or the URL without its password. */
  shown: string;
  /** Runs a query that both engines know. Rejects with the engine's error. */
  run(query: RawBuilder<unknown>): Promise<Row[]>;
  /** The highest id that the table ever gave, also if that row is gone; 0 if it gave none. */
  highestIdOf(table: TableName): Promise<number>;
  /** Ends the transaction without a commit, and the connection. Never rejects. */
  close(): Promise<void>;
}

/** A database in one transaction, for which all other writers wait. */
export interface CopyTarget extends CopySource {
  insert(table: TableName, rows: readonly Row[]): Promise<void>;
  /** Makes the table's next id higher than `id`. */
  keepHighestId(table: TableName, id: number): Promise<void>;
  /** Resolves when everything is on disk. */
  commit(): Promise<void>;
}
