import type { CompiledQuery, KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import {
  createAccessToken,
  deleteExternalUser,
  getExternalUser,
  putExternalUser,
  updateUser,
  verifyAccessToken,
} from '../../generated/index.js';
import { type Database, openDatabase } from '../../server/database/index.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';
import { answered, startService } from '../support/service.js';
import { rowsOf } from '../support/store.js';

// What another process does to an external owner while a write waits for the owner's lock.

/** What happens before or after the next prepared query of a write whose text matches. */
interface Interruption {
  when: 'before' | 'after';
  sql: RegExp;
  act: () => Promise<unknown>;
}

const SAME: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  transformResult: ({ result }) => Promise.resolve(result),
};

/** Opens a database whose writes are interrupted, each interruption once and in their order. */
async function openInterrupted(database: string, interruptions: readonly Interruption[]): Promise<Database> {
  const db = await openDatabase(database);
  let done = 0;
  return {
    ...db,
    write: (work) =>
      db.write(async (trx) => {
        const traced = trx.withPlugin(SAME);
        let earlier: Promise<unknown> = Promise.resolve();
        const run = async (query: CompiledQuery, parameters: readonly unknown[]) => {
          const next = interruptions[done]?.sql.test(query.sql) === true ? interruptions[done++] : undefined;
          if (next?.when === 'before') await next.act();
          const rows = await runCompiled(trx, query, parameters);
          if (next?.when === 'after') await next.act();
          return rows;
        };
        // In the order of the calls, whether or not somebody waits for the rows.
        runDirectly(traced, (query, parameters) => {
          const rows = earlier.then(() => run(query, parameters));
          earlier = rows.catch(() => undefined);
          return rows;
        });
        return await work(traced);
      }),
  };
}

const LOCK = /from "users" where "id" = .* for no key update$/;
const path = { external_id: 'cus_42' };
const body = { fullName: 'Ada Ltd', email: 'it@ada.example', metadata: { plan: 'pro' } };

/** Two processes on one database, each with an administrator, so that their callers' locks differ. */
async function startTwo() {
  const interruptions: Interruption[] = [];
  const service = await startService({ openDatabase: (database) => openInterrupted(database, interruptions) });
  const { client } = await service.admin();
  const other = await service.newUser();
  await answered(updateUser({ client, path: { user_id: other.session.id }, body: { isAdmin: true } }));
  const second = await startService({ database: service.database });
  const elsewhere = second.as(other.token);
  return {
    service,
    client,
    elsewhere,
    interrupt: (...all: Interruption[]) => void interruptions.push(...all),
    put: () => answered(putExternalUser({ client: elsewhere, path, body })),
    remove: async () => {
      expect((await deleteExternalUser({ client: elsewhere, path })).response.status).toBe(204);
    },
  };
}

test('a token is created for the owner whose lock is there, not for one who was put meanwhile', async () => {
  const { service, client, elsewhere, interrupt, put, remove } = await startTwo();
  await put();
  let deleting: Promise<unknown> = Promise.resolve();
  let isDeleted = false;
  const isWaited = async () => {
    const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    return isDeleted || (await rowsOf(service, waiting)).length > 0;
  };
  interrupt(
    {
      when: 'before',
      sql: LOCK,
      act: async () => {
        await remove();
        await put();
      },
    },
    {
      when: 'before',
      sql: /^insert into "access_tokens"/,
      act: async () => {
        deleting = remove().then(() => (isDeleted = true));
        await expect.poll(isWaited).toBe(true);
      },
    },
  );
  const query = { externalOwner: path.external_id };
  const { plaintext } = await answered(createAccessToken({ client, query, body: { name: 'key', scopes: [] } }));
  await deleting;
  // The deletion waited for the token, and revoked it.
  const { code } = await answered(verifyAccessToken({ client: elsewhere, body: { token: plaintext } }));
  expect(code).toBe('revoked');
});

test('an owner who was deleted before the lock stays forgotten', async () => {
  const { service, client, interrupt, put, remove } = await startTwo();
  interrupt(
    { when: 'after', sql: /from "users" as "user".*"user"."external_id" =/, act: put },
    { when: 'before', sql: LOCK, act: remove },
  );
  const { fullName } = await answered(putExternalUser({ client, path, body: { fullName: 'Bo & Sons' } }));
  const forgotten = `select full_name, contact_email, metadata from users where deleted_at is not null`;
  expect(await rowsOf(service, forgotten)).toEqual([{ full_name: '', contact_email: null, metadata: null }]);
  // A new one has been created.
  const now = await answered(getExternalUser({ client, path }));
  expect([fullName, now.fullName, now.email]).toEqual(['Bo & Sons', 'Bo & Sons', null]);
});
