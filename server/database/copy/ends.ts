import type { Row, RowReader } from '../rows.js';
import type { TableName } from '../tables.js';

/** A database in one transaction, whose rows are read. */
export interface CopySource extends RowReader {
  /** The path, or the URL without its password. */
  shown: string;
  /** The highest id that the table ever gave to a row, even if that row is gone; 0 if it never had a row. */
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
