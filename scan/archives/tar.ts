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

/** The files of a tar archive in their order. Each must be read, or left, before the next one. Throws where it is broken. */
export async function* tarMembers(bytes: Bytes): AsyncGenerator<Member> {
  // Strict, or an archive that is cut off would look like one that has been searched. It is typed by the browser's streams.
  const decoder = createTarDecoder({ strict: true }) as unknown as ReadableWritablePair<Entry, Uint8Array>;
  const entries: AsyncIterable<Entry> = ReadableStream.from(bytes).pipeThrough(decoder);
  for await (const { header, body } of entries) {
    if (header.type === 'file') yield { name: header.name, bytes: body };
    // Without effect where it has been read; its fault, if any, is the archive's own and comes next.
    await body.cancel().catch(() => undefined);
  }
}
