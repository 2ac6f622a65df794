import type { EventBytes } from './operations.js';

/** An event of a stream, or only a place in it. */
export interface StreamEvent {
  /** The latest `id`; undefined if none came. */
  id: string | undefined;
  /** Undefined for a place without an event. */
  data: string | undefined;
}

/**
 * Parses a stream of server-sent events as the HTML standard says. Calls `received` for each piece, whatever it contains. Ends
 * with the stream.
 */
export async function* eventsOf(bytes: EventBytes, received: () => void): AsyncGenerator<StreamEvent, void, undefined> {
  const reader = bytes.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let id: string | undefined;
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      received();
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\r(?!$)|\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          yield { id, data: data.length === 0 ? undefined : data.join('\n') };
          data = [];
          continue;
        }
        const [, field = '', text = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
        if (field === 'id') id = text;
        else if (field === 'data') data.push(text);
      }
    }
  } finally {
    // The caller may stop in the middle, and nobody else closes the connection then.
    await reader.cancel().catch(() => undefined);
  }
}
