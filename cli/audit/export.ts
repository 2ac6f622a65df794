import { type RemoteFlags, withConnection } from '../account/connection.js';
import { Rejected } from '../failure.js';
import { print } from '../output/print.js';
import { toJsonLine } from '../output/text.js';

export interface ExportFlags extends RemoteFlags {
  after?: number;
  format: 'latchkey' | 'ocsf';
}

/** Events in one request. */
const PAGE = 1_000;

export async function exportEvents(flags: ExportFlags): Promise<void> {
  await withConnection(flags, async ({ client }) => {
    for (let after = flags.after ?? 0; ; ) {
      const { format } = flags;
      const events = eventsIn(await client.exportAuditEvents({ query: { after, limit: PAGE, format } }));
      const last = events.at(-1);
      if (last === undefined) return;
      const seq = seqOf(last);
      print(events.map(toJsonLine).join('\n'));
      // A service that does not go on must not make the command run for ever.
      if (seq <= after) throw new Rejected('the service sent events that had been sent before');
      after = seq;
    }
  });
}

interface Line {
  seq?: unknown;
  metadata?: { sequence?: unknown };
}

/** The events on the lines of an answer. */
function eventsIn(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = parsed(line);
      if (typeof event === 'object' && event !== null) return event;
      throw notAnEvent();
    });
}

/** The place of an event in the chain, in either format. */
function seqOf({ seq, metadata }: Line): number {
  const place = seq ?? metadata?.sequence;
  if (!Number.isSafeInteger(place)) throw notAnEvent();
  return place as number;
}

function notAnEvent(): Rejected {
  return new Rejected('the service sent a line that is no event');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
