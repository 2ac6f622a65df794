import { type RemoteFlags, withConnection } from '../account/connection.js';
import { lookOf } from '../output/look.js';
import { print } from '../output/print.js';
import { table } from '../output/table.js';
import { toJsonLine } from '../output/text.js';
import { EXACT_COLUMNS } from './list.js';

export interface FollowFlags extends RemoteFlags {
  after?: number;
}

/** Prints events as they happen, until the process is ended. */
export async function followEvents(flags: FollowFlags): Promise<void> {
  const look = { ...lookOf(flags), forPeople: false };
  await withConnection(flags, async ({ client }) => {
    for await (const event of client.events(flags.after === undefined ? {} : { after: flags.after })) {
      print(flags.json === true ? toJsonLine(event) : table(EXACT_COLUMNS, [event], look));
    }
  });
}
