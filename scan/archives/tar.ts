import { ReadableStream, type ReadableWritablePair } from 'node:stream/web';
import { createTarDecoder, type TarHeader } from 'modern-tar';
import type { Bytes } from '../streams.js';

export interface Member {
  name: string;
  bytes: Bytes;
}

interface Entry {
  header: TarHeader;
  body: ReadableStream<Uint8Array>;
}

/** Yields the files of a tar archive in order. Read each file, or ignore it, before the next. Throws if it is damaged. */
export async function* tarMembers(bytes: Bytes): AsyncGenerator<Member> {
  // Strict, so that a truncated archive is an error. The cast is needed because it is typed with the browser's streams.
  const decoder = createTarDecoder({ strict: true }) as unknown as ReadableWritablePair<Entry, Uint8Array>;
  const entries: AsyncIterable<Entry> = ReadableStream.from(bytes).pipeThrough(decoder);
  for await (const { header, body } of entries) {
    if (header.type === 'file') yield { name: header.name, bytes: body };
    // No effect on a body that was read. An error here is an error of the archive, which the loop then throws.
    await body.cancel().catch(() => undefined);
  }
}
