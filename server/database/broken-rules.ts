import { sql } from 'kysely';
import { batchesOf, type RowReader } from './rows.js';
import { RULES, type Rule } from './rules.js';

/** Describes each rule that rows break, of a database whose newest migration has this name. */
export async function brokenRules(reader: RowReader, newestMigration: string): Promise<string[]> {
  const newest = Number.parseInt(newestMigration, 10);
  const faults: string[] = [];
  for (const { since, until = Number.POSITIVE_INFINITY, broken, found } of RULES) {
    if (newest < since || newest >= until) continue;
    const rows = await countFound(reader, found);
    if (rows > 0) faults.push(`${broken}: ${String(rows)}`);
  }
  return faults;
}

async function countFound(reader: RowReader, found: Rule['found']): Promise<number> {
  if (typeof found === 'string') {
    const [[count] = []] = await reader.run(sql.raw(found));
    return Number(count);
  }
  let count = 0;
  for (const { table, columns, where, isBroken } of found) {
    for await (const rows of batchesOf(reader, table, { columns, where })) {
      count += rows.filter((row) => isBroken(...row)).length;
    }
  }
  return count;
}
