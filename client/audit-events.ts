import type { AuditEvent } from '../generated/types.gen.js';
import { LatchkeyError } from './errors.js';

/** Yields the events on the lines of one answer after the other, until an answer has none. */
export async function* allAuditEvents(
  read: (after: number) => Promise<string>,
  after: number,
): AsyncGenerator<AuditEvent, void, undefined> {
  for (let last = after; ; ) {
    const events = eventsIn(await read(last));
    const end = events.at(-1)?.seq;
    if (end == null) return;
    yield* events;
    // A service that does not go on must not make the iteration endless.
    if (end <= last) throw unreadable('it repeats events');
    last = end;
  }
}

function eventsIn(lines: string): AuditEvent[] {
  try {
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditEvent);
  } catch {
    throw unreadable('a line is not JSON');
  }
}

function unreadable(why: string): LatchkeyError {
  return new LatchkeyError({ code: 'unexpected_answer', status: 200, message: `The events cannot be read: ${why}.` });
}
