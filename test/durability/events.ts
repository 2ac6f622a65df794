import { expect } from 'vitest';
import { latchkey } from '../support/process.js';
import { rowsOf } from '../support/store.js';

/** Checks that each change of a token has its event and each event its change, and that the chain of the events is whole. */
export async function expectEachChangeOnce(database: string): Promise<void> {
  const count = (table: string, where: string) => `(select count(*) from ${table} where ${where})`;
  const [row] = await rowsOf(
    { database },
    `select ${count('access_tokens', "type = 'pat'")} as tokens,
      ${count('audit_events', "action = 'token.created'")} as created,
      ${count('access_tokens', 'revoked_at is not null')} as revoked,
      ${count('audit_events', "action = 'token.revoked'")} as revocations`,
  );
  expect(row?.['created']).toBe(row?.['tokens']);
  expect(row?.['revocations']).toBe(row?.['revoked']);
  expect(await latchkey(['audit', 'verify', '--database', database])).toMatchObject({ code: 0 });
}
