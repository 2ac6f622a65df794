import { type Queries, runPrepared } from './database/index.js';

/** Claims work until the instant `until`, so that one process at a time does it. Returns whether the claim succeeded. */
export async function claimJob(trx: Queries, name: string, at: number, until: number): Promise<boolean> {
  return (await runPrepared(trx, claim, { name, at, until })).length > 0;
}

const claim = (trx: Queries, { name, at, until }: { name: string; at: number; until: number }) =>
  trx
    .insertInto('jobs')
    .values({ name, claimed_until: until })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ claimed_until: until }).where('jobs.claimed_until', '<=', at),
    )
    .returning('name');
