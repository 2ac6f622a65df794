import { type RemoteFlags, withConnection } from '../account/connection.js';
import { Rejected } from '../failure.js';
import { print } from '../output/print.js';
import { toJsonLine } from '../output/text.js';

export interface ExportFlags extends RemoteFlags {
  after?: number;
}

/** Events in one request. */
const PAGE = 1_000;

export async function exportEvents(flags: ExportFlags): Promise<void> {
  await withConnection(flags, async ({ client }) => {
    for (let after = flags.after ?? 0; ; ) {
      const events = eventsIn(await client.exportAuditEvents({ query: { after, limit: PAGE } }));
      const last = events.at(-1);
      if (last === undefined) return;
      print(events.map(toJsonLine).join('\n'));
      // A service that does not go on must not make the command run for ever.
      if (last.seq <= after) throw new Rejected('the service sent events that had been sent before');
      after = last.seq;
    }
  });
}

/** The events on the lines of an answer. */
function eventsIn(text: string): { seq: number }[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = parsed(line);
      if (typeof event === 'object' && event !== null && 'seq' in event && Number.isSafeInteger(event.seq)) {
        return event as { seq: number };
      }
      throw new Rejected('the service sent a line that is no event');
    });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
