import SqliteDriver from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { RULES } from '../../server/database/rules.js';
import { startService } from '../support/service.js';

test('no rule of a check looks through a whole table for each row of another', async () => {
  const { database } = await startService();
  const connection = new SqliteDriver(database, { readonly: true });
  onTestFinished(() => void connection.close());
  for (const { since, until, broken, found } of RULES) {
    if (typeof found !== 'string') continue;
    expect(since, broken).toBeLessThan(until ?? Number.POSITIVE_INFINITY);
    const steps = connection.prepare<[], { detail: string }>(`explain query plan ${found}`).all();
    const scans = steps.filter(({ detail }) => /^SCAN .*-JOIN/.test(detail));
    expect(scans, broken).toEqual([]);
  }
});
